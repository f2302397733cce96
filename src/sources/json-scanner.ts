/** Deeper nesting than any Kubernetes object has; a bound on what a hostile document can make us keep. */
const MAX_DEPTH = 1_000;

export type ScanResult =
  /** Text so far is the beginning of a document. */
  | { readonly kind: 'incomplete' }
  /** A document ends before index `end` of the text given. */
  | { readonly kind: 'complete'; readonly end: number }
  /** Nothing that could follow would make this a document. */
  | { readonly kind: 'invalid' };

const INCOMPLETE: ScanResult = { kind: 'incomplete' };
const INVALID: ScanResult = { kind: 'invalid' };

/** What may come next, outside of strings and bare words. */
type Expect = 'value' | 'firstValue' | 'firstKey' | 'key' | 'colon' | 'commaOrEnd';

/**
 * Finds where a JSON object or array ends, in text that arrives in pieces. It tells an unfinished document from
 * one that is broken, which `JSON.parse` does not. Bare words and escapes are not checked to the letter:
 * whoever gets a complete document still parses it.
 */
export class JsonScanner {
  readonly #closers: string[] = [];
  #expect: Expect = 'value';
  #inString = false;
  #isEscaped = false;
  #inWord = false;

  /** Reads on, from index `start` of `text`. */
  push(text: string, start = 0): ScanResult {
    for (let index = start; index < text.length; index += 1) {
      const char = text.charAt(index);
      if (this.#inString) {
        if (!this.#string(char)) return INVALID;
      } else if (!this.#outside(char)) return INVALID;
      if (this.#closers.length === 0 && this.#expect === 'commaOrEnd') return { kind: 'complete', end: index + 1 };
    }
    return INCOMPLETE;
  }

  #string(char: string): boolean {
    if (this.#isEscaped) this.#isEscaped = false;
    else if (char === '\\') this.#isEscaped = true;
    else if (char === '"') this.#endString();
    // Control characters cannot stand in a string, least of all the line feed that ended the previous piece.
    return char >= ' ';
  }

  #endString(): void {
    this.#inString = false;
    this.#expect = this.#expect === 'key' || this.#expect === 'firstKey' ? 'colon' : 'commaOrEnd';
  }

  #outside(char: string): boolean {
    if (this.#inWord && /[\w+.-]/.test(char)) return true;
    this.#inWord = false;
    switch (char) {
      case ' ':
      case '\n':
      case '\r':
      case '\t':
        return true;
      case '{':
        return this.#open('}', 'firstKey');
      case '[':
        return this.#open(']', 'firstValue');
      case '}':
      case ']':
        return this.#close(char);
      case ':':
        return this.#pass('colon', 'value');
      case ',':
        return this.#pass('commaOrEnd', this.#closers.at(-1) === '}' ? 'key' : 'value');
      case '"':
        this.#inString = true;
        return this.#expect !== 'colon' && this.#expect !== 'commaOrEnd' && this.#closers.length > 0;
      default:
        this.#inWord = true;
        return (
          /[\w-]/.test(char) && this.#closers.length > 0 && this.#takesValue() && this.#pass(this.#expect, 'commaOrEnd')
        );
    }
  }

  #takesValue(): boolean {
    return this.#expect === 'value' || this.#expect === 'firstValue';
  }

  #open(closer: string, expect: Expect): boolean {
    if (!this.#takesValue() || this.#closers.length >= MAX_DEPTH) return false;
    this.#closers.push(closer);
    this.#expect = expect;
    return true;
  }

  #close(closer: string): boolean {
    const isEmpty = this.#expect === (closer === '}' ? 'firstKey' : 'firstValue');
    if (this.#closers.pop() !== closer || !(isEmpty || this.#expect === 'commaOrEnd')) return false;
    this.#expect = 'commaOrEnd';
    return true;
  }

  #pass(from: Expect, to: Expect): boolean {
    if (this.#expect !== from) return false;
    this.#expect = to;
    return true;
  }
}
