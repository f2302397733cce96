import { describe, expect, it } from 'vitest';
import { readManifests } from './manifests.ts';

const POD = 'apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n';

async function refusalOf(...texts: string[]): Promise<{ code?: unknown; message: string }> {
  return readManifests(texts).then(
    () => ({ message: 'it was read' }),
    (error: Error) => error,
  );
}

describe('readManifests', () => {
  it('reads YAML of several documents, and JSON', async () => {
    const web = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'web', namespace: 'shop' } };
    const manifests = await readManifests([`${POD}---\n${POD.replace('name: a', 'name: b')}`, JSON.stringify(web)]);
    expect(manifests.map(({ metadata }) => metadata)).toEqual([{ name: 'a' }, { name: 'b' }, web.metadata]);
  });

  it.each([
    ['what is not YAML', `${POD}---\na: [`, 'manifests[0], line 6, must be YAML or JSON: '],
    ['what is no object', '- 1', 'manifests[0] must be a Kubernetes object with a kind.'],
    ['a text with nothing in it', '# nothing\n', 'manifests[0] must be a Kubernetes object, as YAML or JSON.'],
    ['a second document without a kind', `${POD}---\na: 1\n`, 'manifests[0], document 2, line 6, must be a Kubernetes'],
    ['a name that is none', POD.replace('name: a', 'name: ../a'), 'metadata.name of manifests[0] must be'],
    ['an apiVersion that is none', POD.replace('v1', 'a/b/c'), 'apiVersion of manifests[0] must be'],
    [
      'JSON that is too deep',
      `${'['.repeat(5_000)}${']'.repeat(5_000)}`,
      'manifests[0] must be of at most 100 levels.',
    ],
  ])('refuses %s, and says where', async (_what, text, message) => {
    const refusal = await refusalOf(text);
    expect(refusal).toMatchObject({ code: 'BAD_USER_INPUT', message: expect.stringContaining(message) as string });
  });

  it('names the text among several', async () => {
    expect((await refusalOf(POD, 'a: "')).message).toContain('manifests[1], line 1,');
  });

  it('refuses Secrets wherever they hide', async () => {
    const secret = POD.replace('Pod', 'Secret');
    expect(await refusalOf(`${POD}---\n${secret}`)).toMatchObject({
      code: 'FORBIDDEN',
      message: expect.stringContaining('manifests[0], document 2, line 6, is a Secret') as string,
    });
  });

  it('counts objects, and characters with aliases unfolded', async () => {
    const many = Array.from({ length: 51 }, () => POD).join('---\n');
    expect((await refusalOf(many)).message).toBe('manifests must be at most 50 objects.');
    const large = `${POD}spec: {a: &a "${'x'.repeat(20_000)}", b: *a}\n`;
    expect((await refusalOf(large, large, large)).message).toContain('100000 characters together');
  });
});
