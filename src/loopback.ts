import { isIP } from 'node:net';

/** Whether a host name or address is this machine and nobody else's. IPv6 with brackets or without. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host === '[::1]' || (isIP(host) === 4 && host.startsWith('127.'));
}
