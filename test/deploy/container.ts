import { expect } from 'vitest';
import { DEFAULTS, readConfig, type Config } from '../../src/config.ts';
import { longestStopSeconds } from '../../src/server.ts';
import type { Manifest } from './checker.ts';

/** As much of a container as is looked at. */
export interface Container {
  readonly name: string;
  readonly env: readonly { readonly name: string; readonly value?: string; readonly valueFrom?: unknown }[];
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly startupProbe: Probe;
  readonly readinessProbe: Probe;
  readonly livenessProbe: Probe;
  readonly lifecycle: { readonly preStop: { readonly sleep: { readonly seconds: number } } };
  readonly resources: { readonly requests: object; readonly limits: { readonly memory: string } };
  readonly securityContext: object;
}

interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string };
}

interface PodSpec {
  readonly containers: readonly Container[];
  readonly terminationGracePeriodSeconds: number;
  readonly automountServiceAccountToken: boolean;
}

/** What Node itself reads. */
const NOT_OURS = new Set(['NODE_OPTIONS']);

export function podOf(objects: readonly Manifest[]): PodSpec {
  const deployment = one(objects, 'Deployment').spec as { template: { spec: PodSpec } };
  return deployment.template.spec;
}

export function kascadeOf(objects: readonly Manifest[]): Container {
  const container = podOf(objects).containers.find(({ name }) => name === 'kascade');
  if (!container) throw new Error('there is no container kascade');
  return container;
}

export function one(objects: readonly Manifest[], kind: string): Manifest {
  const [found, ...others] = objects.filter((object) => object.kind === kind);
  if (!found || others.length > 0) throw new Error(`${1 + others.length} of ${kind}`);
  return found;
}

/** What Kascade makes of the container's environment; its ports and probes must be where it then listens. */
export function configOf({ env, ports, ...container }: Container): Config {
  const ours = env.filter(({ name }) => !NOT_OURS.has(name));
  expect(Object.keys(DEFAULTS)).toEqual(expect.arrayContaining(ours.map(({ name }) => name)));
  const given = ours.flatMap(({ name, value }): [string, string][] => (value === undefined ? [] : [[name, value]]));
  const config = readConfig(Object.fromEntries(given));
  const base = config.basePath === '/' ? '' : config.basePath;
  expect(config.host).toBe('0.0.0.0');
  expect(ports).toEqual([expect.objectContaining({ name: 'kascade', containerPort: config.port })]);
  expect(container.startupProbe.httpGet).toEqual({ path: `${base}/healthz`, port: 'kascade' });
  expect(container.livenessProbe.httpGet).toEqual({ path: `${base}/healthz`, port: 'kascade' });
  expect(container.readinessProbe.httpGet).toEqual({ path: `${base}/readyz`, port: 'kascade' });
  return config;
}

export function expectLockedDown(container: Container): void {
  expect(container.securityContext).toMatchObject({
    runAsUser: 1_000, // `node` in the image
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ['ALL'] },
  });
  expect(container.resources).toMatchObject({ requests: { cpu: expect.any(String) }, limits: { memory: '1Gi' } });
}

/** How long the cluster waits before it kills the process, and how long it must: pause before the signal + longest stop. */
export function patienceOf(objects: readonly Manifest[]): { readonly given: number; readonly needed: number } {
  const container = kascadeOf(objects);
  return {
    given: podOf(objects).terminationGracePeriodSeconds,
    needed: container.lifecycle.preStop.sleep.seconds + longestStopSeconds(configOf(container)),
  };
}
