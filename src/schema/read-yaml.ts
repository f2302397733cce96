import { Composer, isScalar, Lexer, LineCounter, Parser, visit } from 'yaml';
import type { CST, Document, Tags, YAMLMap } from 'yaml';

export interface YamlDocument {
  /** From 1, among those of its text that hold anything. */
  readonly number: number;
  /** Where it begins in its text, from 1. */
  readonly line: number;
  /** As if it had been JSON. */
  readonly value: unknown;
}

/** The text is no YAML, or more than is taken. */
export class YamlProblem extends Error {
  override readonly name = 'YamlProblem';
  readonly line: number;

  constructor(line: number, message: string) {
    super(message);
    this.line = line;
  }
}

/** The library's composer is recursive, and calls itself for each level. */
export const MAX_LEVELS = 100;
const MAX_ALIASES = 100;
/** Of one document as JSON: an alias may stand for much more than was written. */
const MAX_CHARACTERS = 100_000;
/** What may be read in one turn of the event loop, in milliseconds. */
const TURN_MS = 20;
const LEXEMES_BETWEEN_LOOKS = 500;

/**
 * As kubectl reads: YAML 1.1 (`0644` is octal, `yes` is true), but times stay text. Tags that JSON has no word for are
 * refused, as is what is nested too deep, before anything recursive sees it.
 */
const OPTIONS = {
  version: '1.1',
  uniqueKeys: false,
  prettyErrors: false,
  logLevel: 'error',
  customTags: jsonTags,
} as const;

const NOT_JSON = new Set(['binary', 'omap', 'pairs', 'set', 'timestamp'].map((tag) => `tag:yaml.org,2002:${tag}`));

function jsonTags(tags: Tags): Tags {
  return tags.filter(
    (tag) => typeof tag === 'string' || (!NOT_JSON.has(tag.tag) && !('format' in tag && tag.format === 'TIME')),
  );
}

/** The documents of a text that hold anything. Throws `YamlProblem`. */
export async function readYaml(text: string): Promise<YamlDocument[]> {
  const lines = new LineCounter();
  const found: YamlDocument[] = [];
  const composer = new Composer(OPTIONS);
  for await (const tokens of turns(parse(text, lines))) {
    for (const token of tokens) for (const document of composer.next(token)) add(document);
  }
  for (const document of composer.end()) add(document);
  return found;

  function add(document: Document.Parsed): void {
    const [problem] = [...document.errors, ...document.warnings];
    if (problem) throw new YamlProblem(lines.linePos(problem.pos[0]).line, problem.message);
    if (document.contents === null || document.contents.range === null) return;
    const twice = keyGivenTwice(document);
    if (twice) throw new YamlProblem(lines.linePos(twice.at).line, `not with the key ${twice.key} twice`);
    const { line } = lines.linePos(document.contents.range[0]);
    const value = valueOf(document, line);
    if (value !== null) found.push({ number: found.length + 1, line, value });
  }
}

/** The library compares each key with all before it, which takes seconds for a few thousand. */
function keyGivenTwice(document: Document.Parsed): { readonly key: string; readonly at: number } | undefined {
  let twice: { readonly key: string; readonly at: number } | undefined;
  visit(document, {
    Map: (_, { items }: YAMLMap) => {
      const known = new Set<string>();
      for (const { key } of items) {
        if (!isScalar(key)) continue;
        const name = String(key.value);
        if (known.has(name)) twice ??= { key: name, at: key.range?.[0] ?? 0 };
        known.add(name);
      }
      return twice && visit.BREAK;
    },
  });
  return twice;
}

function valueOf(document: Document.Parsed, line: number): unknown {
  const json = jsonOf(document, line);
  if (json.length > MAX_CHARACTERS) throw new YamlProblem(line, `more than ${MAX_CHARACTERS} characters as JSON`);
  return JSON.parse(json);
}

function jsonOf(document: Document.Parsed, line: number): string {
  try {
    return JSON.stringify(document.toJS({ maxAliasCount: MAX_ALIASES }));
  } catch (error) {
    // What the library says of aliases: too many, or of nothing.
    throw new YamlProblem(line, error instanceof ReferenceError ? error.message : 'not to be written as JSON');
  }
}

/** The parser keeps a stack of its own, so that depth costs it nothing: it is where depth can be seen. */
function* parse(text: string, lines: LineCounter): Generator<CST.Token | undefined, void> {
  const parser = new Parser(lines.addNewLine);
  lines.addNewLine(0);
  let lexemes = 0;
  for (const lexeme of new Lexer().lex(text)) {
    yield* parser.next(lexeme);
    if (parser.stack.length > MAX_LEVELS + 1) {
      throw new YamlProblem(lines.linePos(parser.offset).line, `more than ${MAX_LEVELS} levels`);
    }
    lexemes += 1;
    if (lexemes % LEXEMES_BETWEEN_LOOKS === 0) yield undefined;
  }
  yield* parser.end();
}

/** Tokens in portions, with a turn of the event loop between them for everybody else. `undefined` is a chance to look. */
async function* turns(tokens: Iterable<CST.Token | undefined>): AsyncGenerator<CST.Token[], void> {
  let portion: CST.Token[] = [];
  let start = performance.now();
  for (const token of tokens) {
    if (token !== undefined) portion.push(token);
    if (performance.now() - start < TURN_MS) continue;
    yield portion;
    await new Promise((resolve) => setImmediate(resolve));
    portion = [];
    start = performance.now();
  }
  yield portion;
}
