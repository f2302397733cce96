import { ApiError, badInput } from '../errors.ts';
import { isRecord, record, text, type JsonRecord } from '../kubernetes/json.ts';
import { checkName, checkNamespace, parseApiVersion } from '../kubernetes/names.ts';
import { isRefusedKind } from '../kubernetes/refused-resources.ts';
import { MAX_LEVELS, readYaml, YamlProblem } from './read-yaml.ts';
import { isDeep } from './yaml.ts';

export const MAX_MANIFESTS = 50;
export const MAX_CHARACTERS = 100_000;

/**
 * The Kubernetes objects in `texts`, each of them JSON, or YAML of any number of documents. All are looked at before
 * any is used. Throws BAD_USER_INPUT that names text, document and line, and FORBIDDEN for what is never touched.
 */
export async function readManifests(texts: readonly string[]): Promise<JsonRecord[]> {
  checkSize(texts);
  const manifests: JsonRecord[] = [];
  for (const [index, written] of texts.entries()) {
    for (const { where, value } of await read(written, `manifests[${index}]`)) {
      if (manifests.length === MAX_MANIFESTS) throw badInput('manifests', `at most ${MAX_MANIFESTS} objects`);
      manifests.push(check(value, where));
    }
  }
  // Aliases may unfold to much more than was written.
  checkSize(manifests.map((manifest) => JSON.stringify(manifest)));
  return manifests;
}

function checkSize(texts: readonly string[]): void {
  if (texts.reduce((sum, each) => sum + each.length, 0) > MAX_CHARACTERS) {
    throw badInput('manifests', `at most ${MAX_CHARACTERS} characters together, with aliases unfolded`);
  }
}

interface Found {
  readonly where: string;
  readonly value: unknown;
}

async function read(written: string, argument: string): Promise<Found[]> {
  const json = parseJson(written);
  if (json !== undefined) {
    if (isDeep(json)) throw badInput(argument, `of at most ${MAX_LEVELS} levels`);
    return [{ where: argument, value: json }];
  }
  try {
    const documents = await readYaml(written);
    if (documents.length === 0) throw badInput(argument, 'a Kubernetes object, as YAML or JSON');
    return documents.map(({ number, line, value }) => ({
      where: documents.length === 1 ? argument : `${argument}, document ${number}, line ${line},`,
      value,
    }));
  } catch (error) {
    if (error instanceof YamlProblem)
      throw badInput(`${argument}, line ${error.line},`, `YAML or JSON: ${error.message}`);
    throw error;
  }
}

function parseJson(written: string): unknown {
  try {
    return JSON.parse(written);
  } catch {
    return undefined;
  }
}

function check(manifest: unknown, where: string): JsonRecord {
  const { apiVersion, kind, metadata } = record(manifest);
  if (!isRecord(manifest) || text(kind) === '') throw badInput(where, 'a Kubernetes object with a kind');
  const of = (field: string) => `${field} of ${where}`;
  const { group } = parseApiVersion(apiVersion, of('apiVersion'));
  checkName(record(metadata)['name'], of('metadata.name'));
  if (record(metadata)['namespace'] !== undefined) {
    checkNamespace(record(metadata)['namespace'], of('metadata.namespace'));
  }
  if (isRefusedKind(group, text(kind))) {
    throw new ApiError('FORBIDDEN', `${where} is a ${text(kind)}: Kascade does not touch them.`);
  }
  return manifest;
}
