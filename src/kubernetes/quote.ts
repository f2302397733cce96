/** How much of a refused text is repeated to its sender, in characters. */
const MAX_LENGTH = 64;

/** The beginning of `text` as a JSON string of printable ASCII, safe to show and to log. */
export function quote(text: string): string {
  const quoted = JSON.stringify(text.slice(0, MAX_LENGTH)).replaceAll(
    /[^ -~]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return text.length > MAX_LENGTH ? `${quoted}…` : quoted;
}
