import { badInput, type ApiError } from '../errors.ts';
import { isRecord } from './json.ts';
import type { KubernetesObject } from './object.ts';
import { quote } from './quote.ts';

/**
 * Label and field selectors, understood and matched as the API server does it; feeds are unfiltered, so this runs on
 * our side. Both throw `BAD_USER_INPUT` for bad syntax, naming the place, counted from 1.
 * Source: k8s.io/apimachinery/pkg/labels/selector.go and pkg/fields/selector.go.
 */

type Labels = Readonly<Record<string, string>>;
type LabelRequirement = (labels: Labels) => boolean;
type FieldRequirement = (object: KubernetesObject) => boolean;

/** In characters. */
const MAX_LENGTH = 1_000;
const MAX_REQUIREMENTS = 50;

/**
 * `a=b`, `a==b`, `a!=b`, `a in (x,y)`, `a notin (x)`, `a`, `!a`, `a>1`, `a<1`, joined by commas that mean "and".
 * `!=` and `notin` also match what lacks the label; '' matches everything. At most 1,000 characters and 50 requirements.
 */
export function parseLabelSelector(text: string): (labels: Labels) => boolean {
  return all(new LabelSelectorParser(text).parse());
}

/**
 * `path=value`, `path==value`, `path!=value`, joined by commas that mean "and"; `\` escapes `,`, `=` and `\` in a value.
 * The path leads through own fields of objects; a field that is missing, or holds an object or a list, equals ''.
 * Any field can be named, while the API server knows a few a kind. At most 1,000 characters and 50 requirements.
 */
export function parseFieldSelector(text: string): (object: KubernetesObject) => boolean {
  checkLength(text, fieldError);
  const terms = splitFieldTerms(text).filter(({ term }) => term !== '');
  checkCount(terms.length, fieldError);
  return all(terms.map(fieldRequirement));
}

function all<T>(requirements: readonly ((candidate: T) => boolean)[]): (candidate: T) => boolean {
  return (candidate) => requirements.every((matches) => matches(candidate));
}

function checkLength(text: string, error: (problem: string) => ApiError): void {
  if (text.length > MAX_LENGTH) throw error(`${text.length} characters, at most ${MAX_LENGTH} are allowed`);
}

function checkCount(requirements: number, error: (problem: string) => ApiError): void {
  if (requirements > MAX_REQUIREMENTS) throw error(`at most ${MAX_REQUIREMENTS} requirements are allowed`);
}

// ---- label selectors -----------------------------------------------------------------------------------------------

/** `kind` is the symbol itself, or what else was found. */
interface Token {
  readonly kind: 'word' | 'end' | (string & {});
  readonly text: string;
  /** Counted from 0. */
  readonly offset: number;
}

const TOKEN = /(?<symbol>==|!=|[=!(),<>])|(?<word>[^=!(),<> \t\r\n]+)/g;

const LABEL_PART = /^[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?$/;
const LABEL_PREFIX = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/;
const INTEGER = /^[0-9]+$/;
const MAX_INT64 = 2n ** 63n - 1n;

/** A recursive descent over the tokens, one method a rule of the grammar. */
class LabelSelectorParser {
  readonly #tokens: readonly Token[];
  readonly #end: Token;
  #position = 0;

  constructor(text: string) {
    checkLength(text, labelError);
    this.#tokens = tokenize(text);
    this.#end = { kind: 'end', text: '', offset: text.length };
  }

  parse(): LabelRequirement[] {
    const requirements: LabelRequirement[] = [];
    if (this.#peek().kind === 'end') return requirements;
    do {
      requirements.push(this.#requirement());
      checkCount(requirements.length, labelError);
    } while (this.#accept(','));
    if (this.#peek().kind !== 'end') throw unexpected(this.#peek(), '"," or the end');
    return requirements;
  }

  #requirement(): LabelRequirement {
    if (this.#accept('!')) {
      const key = this.#key();
      return (labels) => !Object.hasOwn(labels, key);
    }
    const key = this.#key();
    const next = this.#peek();
    if (next.kind === ',' || next.kind === 'end') return (labels) => Object.hasOwn(labels, key);
    this.#position += 1;
    switch (next.text) {
      case '=':
      case '==':
        return isOneOf(key, [this.#value()]);
      case '!=':
        return isNoneOf(key, [this.#value()]);
      case 'in':
        return isOneOf(key, this.#values());
      case 'notin':
        return isNoneOf(key, this.#values());
      case '>':
      case '<':
        return compares(key, next.text, this.#integer());
      default:
        throw unexpected(next, 'one of =, ==, !=, in, notin, >, <');
    }
  }

  #key(): string {
    const token = this.#peek();
    if (token.kind !== 'word') throw unexpected(token, 'a label key');
    if (!isLabelKey(token.text)) {
      throw unexpected(token, 'a label key: [DNS subdomain "/"] and at most 63 of A-Z a-z 0-9 - _ .');
    }
    this.#position += 1;
    return token.text;
  }

  /** Nothing at all is the value ''. */
  #value(): string {
    const token = this.#peek();
    if (token.kind === ',' || token.kind === ')' || token.kind === 'end') return '';
    if (token.kind !== 'word') throw unexpected(token, 'a label value');
    if (token.text.length > 63 || !LABEL_PART.test(token.text)) {
      throw unexpected(token, 'a label value: at most 63 of A-Z a-z 0-9 - _ .');
    }
    this.#position += 1;
    return token.text;
  }

  #values(): string[] {
    if (!this.#accept('(')) throw unexpected(this.#peek(), '"("');
    const values = [this.#value()];
    while (this.#accept(',')) values.push(this.#value());
    if (!this.#accept(')')) throw unexpected(this.#peek(), '"," or ")"');
    return values;
  }

  #integer(): bigint {
    const token = this.#peek();
    const number = int64(token.text);
    if (number === undefined) throw unexpected(token, 'an integer');
    this.#position += 1;
    return number;
  }

  #accept(symbol: string): boolean {
    if (this.#peek().kind !== symbol) return false;
    this.#position += 1;
    return true;
  }

  /** The next token; past the last of them always the end. */
  #peek(): Token {
    return this.#tokens[this.#position] ?? this.#end;
  }
}

/** Everything but white space is part of some token. */
function tokenize(text: string): Token[] {
  return Array.from(text.matchAll(TOKEN), (match) => ({
    kind: match.groups?.['symbol'] ?? 'word',
    text: match[0],
    offset: match.index,
  }));
}

function isLabelKey(key: string): boolean {
  const slash = key.indexOf('/');
  const name = key.slice(slash + 1);
  if (name.length > 63 || !LABEL_PART.test(name)) return false;
  return slash === -1 || (slash <= 253 && LABEL_PREFIX.test(key.slice(0, slash)));
}

function isOneOf(key: string, values: readonly string[]): LabelRequirement {
  return (labels) => {
    const value = labelOf(labels, key);
    return value !== undefined && values.includes(value);
  };
}

function isNoneOf(key: string, values: readonly string[]): LabelRequirement {
  const matches = isOneOf(key, values);
  return (labels) => !matches(labels);
}

/** A label that is missing or no integer matches neither. */
function compares(key: string, operator: '<' | '>', bound: bigint): LabelRequirement {
  return (labels) => {
    const value = int64(labelOf(labels, key) ?? '');
    if (value === undefined) return false;
    return operator === '<' ? value < bound : value > bound;
  };
}

/** Own labels only, so `__proto__` and `constructor` are keys like any other. */
function labelOf(labels: Labels, key: string): string | undefined {
  return Object.hasOwn(labels, key) ? labels[key] : undefined;
}

/** Labels hold no sign, so these are never negative. */
function int64(digits: string): bigint | undefined {
  if (digits.length > 63 || !INTEGER.test(digits)) return undefined;
  const value = BigInt(digits);
  return value <= MAX_INT64 ? value : undefined;
}

function unexpected(token: Token, expected: string): ApiError {
  return labelError(`at character ${token.offset + 1}: found ${found(token.text)}, expected ${expected}`);
}

function labelError(problem: string): ApiError {
  return badInput('filter.labelSelector', `a label selector such as "app=web,tier notin (db)" (${problem})`);
}

// ---- field selectors -----------------------------------------------------------------------------------------------

/** The part of a selector between two commas. */
interface FieldTerm {
  readonly term: string;
  /** Counted from 0. */
  readonly offset: number;
}

const FIELD_PATH = /^[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*$/;
const OPERATOR = /!=|==|=/;
const ESCAPE_OR_SPECIAL = /\\[\s\S]?|[,=]/g;

/** Splits at commas that no backslash escapes. */
function splitFieldTerms(text: string): FieldTerm[] {
  const terms: FieldTerm[] = [];
  let start = 0;
  for (const match of text.matchAll(/\\[\s\S]|,/g)) {
    if (match[0] !== ',') continue;
    terms.push({ term: text.slice(start, match.index), offset: start });
    start = match.index + 1;
  }
  terms.push({ term: text.slice(start), offset: start });
  return terms;
}

function fieldRequirement({ term, offset }: FieldTerm): FieldRequirement {
  const operator = OPERATOR.exec(term);
  if (operator === null) throw fieldError(`at character ${offset + 1}: found ${found(term)}, expected path=value`);
  const path = term.slice(0, operator.index);
  if (!FIELD_PATH.test(path)) {
    throw fieldError(`at character ${offset + 1}: found ${found(path)}, expected a path such as metadata.name`);
  }
  const start = operator.index + operator[0].length;
  const value = unescapeFieldValue({ term: term.slice(start), offset: offset + start });
  const steps = path.split('.');
  return operator[0] === '!='
    ? (object) => fieldText(object, steps) !== value
    : (object) => fieldText(object, steps) === value;
}

function unescapeFieldValue({ term, offset }: FieldTerm): string {
  return term.replaceAll(ESCAPE_OR_SPECIAL, (match: string, index: number) => {
    if (match === '\\\\' || match === '\\,' || match === '\\=') return match.slice(1);
    throw fieldError(
      `at character ${offset + index + 1}: found ${found(match)}, expected "\\" before "," "=" or "\\" in a value, and nowhere else`,
    );
  });
}

/** The field as a selector sees it: own fields only, so `__proto__` and `constructor` lead nowhere. */
function fieldText(object: KubernetesObject, path: readonly string[]): string {
  let value: unknown = object;
  for (const step of path) {
    if (!isRecord(value) || !Object.hasOwn(value, step)) return '';
    value = value[step];
  }
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : '';
}

function fieldError(problem: string): ApiError {
  return badInput('filter.fieldSelector', `a field selector such as "status.phase!=Running" (${problem})`);
}

/** What was found where something else was expected. */
function found(text: string): string {
  return text === '' ? 'nothing' : quote(text);
}
