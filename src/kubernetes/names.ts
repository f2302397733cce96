import { badInput, type ApiError } from '../errors.ts';
import { quote } from './quote.ts';

/**
 * The grammar of everything that reaches a URL of the cluster. Each check returns the value it was given or throws
 * `BAD_USER_INPUT`, naming `argument`. What passes is never empty, '.' or '..', and holds no character that means
 * something in a URL. Source: k8s.io/apimachinery/pkg/util/validation (RFC 1123 and RFC 1035 names).
 */

interface Grammar {
  readonly pattern: RegExp;
  /** In characters. */
  readonly maxLength: number;
  /** Completes "must be …". */
  readonly description: string;
}

const LABEL = '[a-z0-9](?:[-a-z0-9]*[a-z0-9])?';

const AGENT_ID: Grammar = {
  pattern: /^[1-9][0-9]{0,17}$/,
  maxLength: 18,
  description: 'a numeric agent ID of at most 18 digits',
};

const DNS_LABEL: Grammar = {
  pattern: new RegExp(`^${LABEL}$`),
  maxLength: 63,
  description: 'a DNS label (a-z, 0-9 and "-", at most 63 characters, alphanumeric at both ends)',
};

const DNS_LABEL_FROM_LETTER: Grammar = {
  pattern: /^[a-z](?:[-a-z0-9]*[a-z0-9])?$/,
  maxLength: 63,
  description: 'a DNS label that begins with a letter (a-z, 0-9 and "-", at most 63 characters)',
};

const DNS_SUBDOMAIN: Grammar = {
  pattern: new RegExp(`^${LABEL}(?:\\.${LABEL})*$`),
  maxLength: 253,
  description: 'a DNS subdomain (a-z, 0-9, "-" and ".", at most 253 characters, alphanumeric around every ".")',
};

/** GitLab's ID of an agent: a positive decimal number without leading zeros. */
export function checkAgentId(value: unknown, argument = 'agentId'): string {
  return check(value, AGENT_ID, argument);
}

export function checkNamespace(value: unknown, argument = 'namespace'): string {
  return check(value, DNS_LABEL, argument);
}

/** The name of an object of nearly any kind. RBAC's names, which may hold ":", do not pass. */
export function checkName(value: unknown, argument = 'name'): string {
  return check(value, DNS_SUBDOMAIN, argument);
}

export function checkContainerName(value: unknown, argument = 'containerName'): string {
  return check(value, DNS_LABEL, argument);
}

/** An API group other than the core group, whose name is '' and which has URLs of its own. */
export function checkGroup(value: unknown, argument = 'group'): string {
  return check(value, DNS_SUBDOMAIN, argument);
}

export function checkVersion(value: unknown, argument = 'version'): string {
  return check(value, DNS_LABEL_FROM_LETTER, argument);
}

/** A collection's name in URLs, such as "pods". Subresources ("pods/log") do not pass. */
export function checkPlural(value: unknown, argument = 'resource'): string {
  return check(value, DNS_LABEL_FROM_LETTER, argument);
}

/** Splits "v1" or "apps/v1"; the group is '' for the former. */
export function parseApiVersion(value: unknown, argument = 'apiVersion'): { group: string; version: string } {
  const [first, second, ...rest] = typeof value === 'string' ? value.split('/', 3) : [];
  if (first === undefined || rest.length > 0)
    throw refusal(value, 'a version or a group and a version ("v1", "apps/v1")', argument);
  if (second === undefined) return { group: '', version: checkVersion(first, argument) };
  return { group: checkGroup(first, argument), version: checkVersion(second, argument) };
}

function check(value: unknown, grammar: Grammar, argument: string): string {
  // The length first: patterns are not run over megabytes.
  if (typeof value !== 'string' || value.length > grammar.maxLength || !grammar.pattern.test(value)) {
    throw refusal(value, grammar.description, argument);
  }
  return value;
}

function refusal(value: unknown, description: string, argument: string): ApiError {
  const found = typeof value === 'string' ? quote(value) : `a value of type ${typeof value}`;
  return badInput(argument, `${description}, not ${found}`);
}
