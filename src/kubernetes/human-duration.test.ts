import { describe, expect, it } from 'vitest';
import { humanDuration } from './human-duration.ts';
import { readKubectl } from './workload.fixture.ts';

const expected = readKubectl('durations.expected.json');
const cases = readKubectl('durations.json').map((span, index) => ({ span, text: expected[index] }));

describe('humanDuration', () => {
  it.each(cases)('writes $span ms as $text, as kubectl does', ({ span, text }) => {
    expect(humanDuration(span)).toBe(text);
  });

  it('has a word for what is no time span', () => {
    expect(humanDuration(NaN)).toBe('<invalid>');
  });
});
