import { randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { failure } from '../apiserver/status.ts';

/** A refusal by KAS itself, as a Kubernetes Status. */
export class KasError extends Error {
  readonly code: number;
  readonly reason: string;

  constructor(code: number, reason: string, message: string) {
    super(message);
    this.code = code;
    this.reason = reason;
  }
}

export function unauthorized(cause?: string): KasError {
  return new KasError(401, 'Unauthorized', cause === undefined ? 'Unauthorized' : `Unauthorized: ${cause}`);
}

export function writeKasError(response: ServerResponse, error: KasError): void {
  if (response.headersSent) {
    // After the headers there is no way to tell: the connection is cut.
    response.destroy();
    return;
  }
  const message = `GitLab Agent Server: ${error.message}. Trace ID: ${randomBytes(16).toString('hex')}`;
  const headers: Record<string, string> = { 'Content-Type': 'application/json', 'X-Content-Type-Options': 'nosniff' };
  // Tells "GitLab refused you" from "the cluster refused you".
  if (error.code === 401) headers['Gitlab-Unauthorized'] = 'true';
  response.writeHead(error.code, headers);
  response.end(`${JSON.stringify(failure(error.code, error.reason, message))}\n`);
}
