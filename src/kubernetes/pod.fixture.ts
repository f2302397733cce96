import * as fc from 'fast-check';
import { readFileSync } from 'node:fs';
import type { KubernetesObject } from './object.ts';

/** What lies in test/kubectl, see its README. */
interface KubectlFiles {
  readonly 'pods.json': readonly KubernetesObject[];
  readonly 'services.json': readonly KubernetesObject[];
  readonly 'selectors.json': {
    readonly labelSelectors: readonly string[];
    readonly labelSets: readonly Readonly<Record<string, string>>[];
    readonly fieldSelectors: readonly string[];
    readonly fieldSets: readonly Readonly<Record<string, string>>[];
  };
  readonly 'expected.json': {
    /** `restarts` is "3" or "3 (5m ago)". */
    readonly pods: readonly Readonly<Record<'name' | 'status' | 'ready' | 'restarts', string>>[];
    readonly services: readonly Readonly<Record<'name' | 'type' | 'clusterIP' | 'externalIP' | 'ports', string>>[];
    readonly labelSelectors: readonly string[];
    readonly fieldSelectors: readonly string[];
  };
}

export function readKubectl<File extends keyof KubectlFiles>(file: File): KubectlFiles[File] {
  const content: KubectlFiles[File] = JSON.parse(
    readFileSync(new URL(`../../test/kubectl/${file}`, import.meta.url), 'utf8'),
  );
  return content;
}

const KUBECTL_PODS = new Map(readKubectl('pods.json').map((each) => [each.metadata.name, each]));

/** One of the pods of test/kubectl/pods.json. */
export function kubectlPod(name: string): KubernetesObject {
  const found = KUBECTL_PODS.get(name);
  if (found === undefined) throw new Error(`test/kubectl/pods.json has no pod ${name}`);
  return found;
}

/** Whatever JSON a cluster could send, as if it were an object. */
export function sent(json: unknown): KubernetesObject {
  const object: KubernetesObject = JSON.parse(JSON.stringify(json));
  return object;
}

/** A pod for a test, with what the test is about. */
export function pod(spec?: unknown, status?: unknown, metadata: object = {}): KubernetesObject {
  return sent({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: 'web',
      namespace: 'default',
      uid: 'u-1',
      resourceVersion: '1',
      creationTimestamp: '2026-01-05T10:00:00Z',
      ...metadata,
    },
    spec,
    status,
  });
}

const trap: unknown = JSON.parse('{"__proto__":[1],"toString":1,"constructor":"x"}');
const junk: fc.Arbitrary<unknown> = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }),
  fc.constantFrom<unknown>(null, '', -1, 1e300, 0.5, [], {}, [null], trap),
);
const name = fc.constantFrom<unknown>('app', 'web', 'init');

/** An object with some of these fields, and now and then junk in place of one of them or of the whole. */
function fields(shape: Readonly<Record<string, fc.Arbitrary<unknown>>>): fc.Arbitrary<unknown> {
  const spoiled: Record<string, fc.Arbitrary<unknown>> = {};
  for (const [key, arbitrary] of Object.entries(shape)) {
    spoiled[key] = fc.oneof({ weight: 6, arbitrary }, { weight: 1, arbitrary: junk });
  }
  const arbitrary = fc.record(spoiled, { requiredKeys: [] });
  return fc.oneof({ weight: 9, arbitrary }, { weight: 1, arbitrary: junk });
}

function listOf(item: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  return fc.array(item, { maxLength: 4 });
}

const reason = fc.constantFrom<unknown>(
  '',
  'Completed',
  'Error',
  'OOMKilled',
  'CrashLoopBackOff',
  'ErrImagePull',
  'NodeLost',
);
const time = fc.constantFrom<unknown>('2026-01-05T10:00:00Z', '2026-02-05T10:00:00.5Z', 'yesterday', null);
const terminated = fields({ exitCode: fc.integer(), signal: fc.integer(), reason, finishedAt: time, startedAt: time });
const state = fields({
  waiting: fields({ reason, message: reason }),
  running: fields({ startedAt: time }),
  terminated,
});
const containers = listOf(fields({ name, image: name, restartPolicy: fc.constantFrom<unknown>('Always', 'Never') }));
const statuses = listOf(
  fields({ name, state, lastState: state, ready: fc.boolean(), started: fc.boolean(), restartCount: fc.integer() }),
);
const conditions = listOf(
  fields({
    type: fc.constantFrom<unknown>('Ready', 'Initialized', 'PodScheduled'),
    status: fc.constantFrom<unknown>('True', 'False', 'Unknown'),
    reason: fc.constantFrom<unknown>('SchedulingGated', 'Unschedulable', ''),
    message: fc.string(),
  }),
);
const spec = fields({ containers, initContainers: containers, ephemeralContainers: containers, nodeName: name });
const status = fields({
  phase: fc.constantFrom<unknown>('Pending', 'Running', 'Succeeded', 'Failed', 'Unknown'),
  reason,
  conditions,
  containerStatuses: statuses,
  initContainerStatuses: statuses,
  ephemeralContainerStatuses: statuses,
});

/** Pods near to real ones, with junk anywhere in their spec, status and deletion. */
export const arbitraryPod: fc.Arbitrary<KubernetesObject> = fc
  .record({ spec, status, deletionTimestamp: fc.oneof({ weight: 4, arbitrary: fc.constant(undefined) }, time, junk) })
  .map(({ spec, status, deletionTimestamp }) => pod(spec, status, { deletionTimestamp }));
