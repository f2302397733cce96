import { readFileSync, readdirSync } from 'node:fs';
import { parse } from 'graphql';
import { describe, expect, it } from 'vitest';
import { blocksOf } from '../../test/documents/markdown.ts';
import { comparisonsOf } from './comparisons.ts';

function counted(document: string) {
  return comparisonsOf(parse(document), 1_000_000);
}

describe('what it takes to check a document', () => {
  it.each([
    ['one for each field', '{ a b { c } }', 3],
    ['one for each two of one name', '{ a a a }', 3 + 3],
    ['names are those of the answer', '{ a: x a: x x }', 3 + 1],
    ['below fields of one name all is in one place', '{ a { b b } a { b } }', 2 + 1 + 3 + 3],
    ['below others it is not', '{ a { b } c { b } }', 4],
    ['inline fragments are a part of their place', '{ a ... { a } ... on A { a } }', 5 + 3],
    ['a fragment is unfolded once in each place', '{ ...F ...F b { ...F } } fragment F on A { a }', 3 + 1 + 1 + 1],
    ['so is one that nothing uses', '{ a } fragment F on A { a a }', 1 + 2 + 1],
    ['and one that another of its name hides', '{ ...F } fragment F on A { a a } fragment F on A { a }', 2 + 2 + 1],
    ['one that contains itself ends in its place', '{ ...F } fragment F on A { a ...F }', 1 + 2],
    ['operations have nothing to do with each other', 'query A { a } query B { a }', 2],
  ])('%s', (_what, document, count) => {
    expect(counted(document).count).toBe(count);
  });

  it('tells what is repeated most', () => {
    expect(counted('{ a { b: x b: x b: x } a { c } }').worst).toEqual({ name: 'b', times: 3 });
  });

  it('is not counted to its end when it is enough, though fragments contain themselves in ever new places', () => {
    const document = parse('{ ...F } fragment F on A { a { ...F } b { ...F } }');
    expect(comparisonsOf(document, 10_000).count).toBeLessThan(10_010);
  });
});

describe('what anybody asks for in earnest', () => {
  const files = readdirSync('client/documents').map((file) => `client/documents/${file}`);
  const pages = readdirSync('docs').filter((file) => file.endsWith('.md'));
  const documents = [
    ...files.map((file) => readFileSync(file, 'utf8')),
    ...pages.flatMap((page) => blocksOf(`docs/${page}`, 'graphql run')),
  ];

  it('is far from the limit', () => {
    expect(documents.length).toBeGreaterThan(40);
    expect(Math.max(...documents.map((document) => counted(document).count))).toBeLessThan(200);
  });
});
