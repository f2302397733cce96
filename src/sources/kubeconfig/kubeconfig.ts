import { dirname, isAbsolute, join, sep } from 'node:path';
import { KubeConfig, type Cluster, type User } from '@kubernetes/client-node';
import { parse, YAMLParseError } from 'yaml';
import { isRecord, list, record, text } from '../../kubernetes/json.ts';

/** One context of a kubeconfig, with what belongs to it. */
export interface Context {
  readonly name: string;
  /** The one that kubectl would choose. */
  readonly isCurrent: boolean;
  /** The namespace that it is for. */
  readonly namespace: string | undefined;
  readonly cluster: Cluster | undefined;
  readonly user: User | undefined;
  /** A file with a token, which comes before any other token. */
  readonly tokenFile: string | undefined;
  /** Why it cannot be used, as a sentence. */
  readonly problem: string | undefined;
}

/** The file is no kubeconfig. Says where it is wrong, and nothing of what is in it: that may be a secret. */
export class KubeconfigError extends Error {
  override readonly name = 'KubeconfigError';
}

/** What the loader of @kubernetes/client-node does not read of a user. */
interface UserExtras {
  readonly tokenFile: string | undefined;
  readonly impersonatesMoreThanAUser: boolean;
}

const NO_EXTRAS: UserExtras = { tokenFile: undefined, impersonatesMoreThanAUser: false };

/** The contexts of a kubeconfig in their order. Paths in it are relative to `file`. Throws KubeconfigError. */
export function parseKubeconfig(content: string, file: string): Context[] {
  const directory = dirname(file);
  const extras = userExtras(documentOf(content), directory);
  const loaded = load(content, directory);
  if (loaded.contexts.length === 0) throw new KubeconfigError('has no contexts');
  return loaded.contexts.map(({ name, namespace, cluster: clusterName, user: userName }) => {
    const cluster = loaded.getCluster(clusterName) ?? undefined;
    const user = loaded.getUser(userName) ?? undefined;
    const { tokenFile, impersonatesMoreThanAUser } = extras.get(userName) ?? NO_EXTRAS;
    const problem = problemOf(cluster) ?? problemOfUser(userName, user, impersonatesMoreThanAUser);
    const isCurrent = name === loaded.currentContext;
    return {
      name: asWritten(name),
      isCurrent,
      namespace,
      cluster,
      user: user && withWholePath(user, directory),
      tokenFile,
      problem,
    };
  });
}

/** YAML takes some names for numbers or truth, and the loader tells it on. */
function asWritten(name: unknown): string {
  return String(name);
}

function documentOf(content: string): unknown {
  try {
    const document: unknown = parse(content);
    if (isRecord(document)) return document;
  } catch (error) {
    const line = error instanceof YAMLParseError ? error.linePos?.[0].line : undefined;
    throw new KubeconfigError(line === undefined ? 'is not YAML' : `is not YAML in line ${line}`);
  }
  throw new KubeconfigError('is no kubeconfig');
}

function load(content: string, directory: string): KubeConfig {
  const loaded = new KubeConfig();
  try {
    loaded.loadFromString(content);
  } catch (error) {
    const message = error instanceof Error ? error.message : '';
    // All that it says of its own about an entry; what a parser says may quote the file.
    const isSafe = /^(clusters|users|contexts)\[\d+\](\.[a-z]+)* is missing$/.test(message);
    throw new KubeconfigError(isSafe ? `is incomplete: ${message}` : 'is no kubeconfig');
  }
  loaded.makePathsAbsolute(directory);
  return loaded;
}

function userExtras(document: unknown, directory: string): Map<string, UserExtras> {
  const extras = list(record(document)['users']).map((entry): [string, UserExtras] => {
    const user = record(record(entry)['user']);
    const tokenFile = text(user['tokenFile']);
    return [
      text(record(entry)['name']),
      {
        tokenFile: tokenFile === '' ? undefined : absolute(tokenFile, directory),
        impersonatesMoreThanAUser: ['as-groups', 'as-uid', 'as-user-extra'].some((field) => field in user),
      },
    ];
  });
  return new Map(extras);
}

/** Commands with a slash are relative to the file; others are looked up in PATH. */
function withWholePath(user: User, directory: string): User {
  const command = text(record(user.exec)['command']);
  if (!command.includes(sep)) return user;
  return { ...user, exec: { ...record(user.exec), command: absolute(command, directory) } };
}

function absolute(path: string, directory: string): string {
  return isAbsolute(path) ? path : join(directory, path);
}

function problemOf(cluster: Cluster | undefined): string | undefined {
  if (cluster === undefined) return 'its cluster is not in the kubeconfig';
  if (!isHttp(cluster.server)) return 'the server of its cluster is no http(s) URL';
  if (cluster.proxyUrl !== undefined && !isHttp(cluster.proxyUrl)) return 'its proxy-url is no http(s) URL';
  return undefined;
}

function problemOfUser(name: string | undefined, user: User | undefined, impersonates: boolean): string | undefined {
  if (name !== undefined && user === undefined) return 'its user is not in the kubeconfig';
  return impersonates ? 'its user impersonates groups, which is not supported' : undefined;
}

function isHttp(url: string): boolean {
  return URL.canParse(url) && /^https?:$/.test(new URL(url).protocol);
}
