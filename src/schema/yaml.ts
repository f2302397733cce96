import { stringify } from 'yaml';
import { ApiError } from '../errors.ts';

/** Written as JSON, which is YAML too, from so many characters or levels on: the library is slow, and recursive. */
const MAX_CHARACTERS = 100_000;
const MAX_LEVELS = 100;
/** What may be written in one turn of the event loop, in milliseconds. */
const TURN_MS = 20;
/** Characters of JSON that may wait for later turns, of all answers together. */
const MAX_WAITING = 8 * 1024 * 1024;

/** Quotes what readers of YAML 1.1 take for something else, such as `yes`: kubectl is one of them. */
const STYLE = { compat: 'yaml-1.1', aliasDuplicateObjects: false, lineWidth: 0 } as const;

/** `value`, which was parsed from JSON, as YAML. */
export function toYaml(value: unknown, json: string = JSON.stringify(value)): string {
  if (json.length > MAX_CHARACTERS || isDeep(value)) return `${JSON.stringify(value, null, 2)}\n`;
  return stringify(value, STYLE);
}

/** Writes at once what can be written in this turn, and the rest in later ones: nobody else has to wait for a list. */
export class YamlWriter {
  #spent = 0;
  #waiting = 0;
  #last: Promise<unknown> = Promise.resolve();

  write(value: unknown): string | Promise<string> {
    const json = JSON.stringify(value);
    if (this.#spent < TURN_MS && this.#waiting === 0) return this.#now(value, json);
    if (this.#waiting + json.length > MAX_WAITING) {
      throw new ApiError('LIMIT_EXCEEDED', 'Too many objects are being written as YAML.', {
        remedy: 'Ask for the YAML of fewer objects at a time (`first`, `filter`), or for `spec` and `status` as JSON.',
      });
    }
    this.#waiting += json.length;
    const text = this.#last.then(async () => {
      try {
        while (this.#spent >= TURN_MS) await nextTurn();
        return this.#now(value, json);
      } finally {
        this.#waiting -= json.length;
      }
    });
    this.#last = text.catch(() => undefined);
    return text;
  }

  #now(value: unknown, json: string): string {
    if (this.#spent === 0) setImmediate(() => (this.#spent = 0));
    const start = performance.now();
    try {
      return toYaml(value, json);
    } finally {
      this.#spent += performance.now() - start;
    }
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Level by level, because recursion is what it is to prevent. */
export function isDeep(value: unknown): boolean {
  let level = [value];
  for (let levels = 0; level.length > 0; levels += 1) {
    if (levels > MAX_LEVELS) return true;
    level = level.flatMap((each) => (typeof each === 'object' && each !== null ? Object.values(each) : []));
  }
  return false;
}
