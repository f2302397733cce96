import { GraphQLError } from 'graphql';

/** Kubernetes writes ISO 8601 itself; our own times are milliseconds since 1970. */
export type DateTimeOutput = string | number;

const ISO_8601 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;
const LATEST_MS = 8.64e15;

export const dateTime = {
  description: 'A moment in ISO 8601 with its offset from UTC, such as `2026-03-01T12:00:00Z`. Output only.',
  specifiedByURL: 'https://www.rfc-editor.org/rfc/rfc3339',
  serialize: dateTimeOutput,
  parseValue: outputOnly('DateTime'),
};

export const json = {
  description: 'Any JSON value, exactly as the Kubernetes API gives it. Output only.',
  specifiedByURL: 'https://www.rfc-editor.org/rfc/rfc8259',
  serialize: jsonOutput,
  parseValue: outputOnly('JSON'),
};

function dateTimeOutput(value: unknown): string {
  if (typeof value === 'string' && ISO_8601.test(value)) return value;
  if (typeof value === 'number' && Math.abs(value) <= LATEST_MS) return new Date(value).toISOString();
  throw new GraphQLError('DateTime cannot represent this value.');
}

/** Values come out of JSON.parse; only what JSON.stringify would drop or refuse is looked for, and only on top. */
function jsonOutput(value: unknown): unknown {
  if (value === null || typeof value === 'string' || typeof value === 'boolean' || typeof value === 'object') {
    return value;
  }
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  throw new GraphQLError('JSON cannot represent this value.');
}

function outputOnly(name: string): () => never {
  return () => {
    throw new GraphQLError(`${name} cannot be used as an input.`);
  };
}
