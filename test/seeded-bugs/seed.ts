/**
 * A deliberate defect, and the test that must notice it. It is a search and a replacement in one file: it goes on
 * working when other code moves, and when the very code is changed it no longer applies, which fails loudly.
 */
export interface Seed {
  /** kebab-case, unique. */
  readonly name: string;
  /** From the root of the repository. */
  readonly file: string;
  /** Stands in the file exactly once. */
  readonly find: string;
  readonly replace: string;
  /** The title as the source has it, without those of the `describe`s around it; `%s` and the like stand as they are. */
  readonly caughtBy: { readonly file: string; readonly test: string };
}

/** The source with the defect in it. Throws when the seed does not fit the source any more. */
export function plant({ name, file, find, replace }: Seed, source: string): string {
  const places = source.split(find).length - 1;
  if (places !== 1) throw new Error(`${name}: what it looks for stands ${places} times in ${file}, not once.`);
  if (find === replace) throw new Error(`${name}: it changes nothing.`);
  // A function, so that "$&" and the like mean themselves.
  return source.replace(find, () => replace);
}
