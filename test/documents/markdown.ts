import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

export interface Command {
  readonly file: string;
  /** On one line, continuation lines joined; what a shell would run after another `&&` is a command of its own. */
  readonly command: string;
}

/** Every document of the repository. */
export function documents(): string[] {
  return globSync('**/*.md', { cwd: ROOT, exclude: ['**/node_modules/**', '.cache/**'] }).toSorted();
}

export function read(file: string): string {
  return readFileSync(`${ROOT}${file}`, 'utf8');
}

/** The contents of the fenced blocks in a language. `language` is a regular expression. */
export function blocksOf(file: string, language: string): string[] {
  const fenced = new RegExp(`^\`\`\`(?:${language})\\n(.*?)^\`\`\`$`, 'gms');
  return Array.from(read(file).matchAll(fenced), ([, block = '']) => block);
}

/** What a document tells its reader to type. */
export function commandsOf(file: string): Command[] {
  const lines = blocksOf(file, 'sh|bash|shell|console').flatMap((block) =>
    block.replaceAll(/\\\n\s*/g, '').split('\n'),
  );
  const commands = lines.filter((line) => line.trim() !== '' && !line.startsWith('#'));
  return commands.flatMap((line) => line.split(' && ').map((command) => ({ file, command: command.trim() })));
}
