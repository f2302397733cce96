/** What must never become part of a URL upstream, nor reach the gate. */
export const BAD_NAMES = [
  '',
  '.',
  '..',
  'a/../b',
  '%2e%2e',
  'a b',
  'A',
  'a\nb',
  'x'.repeat(300),
  '../secrets',
  'a?b',
  'ä',
];
