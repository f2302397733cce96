import type { JsonObject } from '../apiserver/json.ts';
import type { NewObject } from '../apiserver/object.ts';
import { makeDeployment, makeNamespace, makeService, type ContainerOptions } from '../apiserver/objects.ts';
import { containerSpec } from '../apiserver/pod-parts.ts';
import {
  gitRepository,
  helmChart,
  helmRelease,
  helmRepository,
  kustomization,
  ociRepository,
} from './flux-manifests.ts';
import { TROUBLE, type Trouble } from './pod-run.ts';

interface AppOptions {
  readonly replicas?: number;
  readonly trouble?: Trouble;
  readonly containers?: ContainerOptions[];
  readonly initContainers?: ContainerOptions[];
}

/** A Deployment as somebody would apply it: it has no status yet. */
function app(namespace: string, name: string, options: AppOptions = {}): NewObject {
  const { status: _, ...deployment } = makeDeployment({ name, namespace, replicas: options.replicas ?? 1 });
  const image = `registry.example.com/${namespace}/${name}:1.0.0`;
  const containers = (options.containers ?? [{ name: 'app', image }]).map(containerSpec);
  const initContainers = (options.initContainers ?? []).map(containerSpec);
  const annotations = options.trouble ? { [TROUBLE]: options.trouble } : {};
  const template: JsonObject = {
    metadata: { labels: { 'app.kubernetes.io/name': name }, annotations },
    spec: { containers, ...(initContainers.length === 0 ? {} : { initContainers }) },
  };
  return { ...deployment, spec: { ...deployment.spec, template } };
}

function cronJob(namespace: string, name: string): NewObject {
  const jobTemplate = {
    spec: { template: { spec: { restartPolicy: 'Never', containers: [containerSpec({ name: 'report' })] } } },
  };
  return {
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    metadata: { name, namespace },
    spec: { schedule: '* * * * *', suspend: false, concurrencyPolicy: 'Allow', jobTemplate },
    status: {},
  };
}

function node(name: string): NewObject {
  const conditions = [
    { type: 'Ready', status: 'True', reason: 'KubeletReady', message: 'kubelet is posting ready status' },
  ];
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, labels: { 'kubernetes.io/hostname': name } },
    spec: {},
    status: { conditions },
  };
}

function inventory(namespace: string, deployments: string[], services: string[]): string[] {
  return [
    ...deployments.map((name) => `${namespace}_${name}_apps_Deployment`),
    ...services.map((name) => `${namespace}_${name}__Service`),
  ];
}

const PROXY: ContainerOptions = {
  name: 'mesh-proxy',
  image: 'registry.example.com/mesh/proxy:2.4.1',
  restartPolicy: 'Always',
};

/** A shop that sells, payments that mostly work, a namespace with nothing in it. */
export function production(): NewObject[] {
  return [
    ...['shop', 'payments', 'empty'].map((name) => makeNamespace(name)),
    ...['node-a', 'node-b', 'node-c'].map(node),
    gitRepository('shop', 'shop'),
    ociRepository('shop', 'assets'),
    kustomization('shop', 'shop', {
      source: 'shop',
      inventory: inventory('shop', ['web', 'cart', 'search'], ['web', 'cart']),
    }),
    kustomization('shop', 'experiments', { source: 'shop', inventory: [], suspend: true }),
    kustomization('shop', 'legacy', { source: 'shop', inventory: [], broken: true }),
    app('shop', 'web', { replicas: 3, initContainers: [{ name: 'migrate' }, PROXY] }),
    app('shop', 'cart', { replicas: 2, containers: [{ name: 'app' }, { name: 'cache' }] }),
    app('shop', 'search', { replicas: 2 }),
    app('shop', 'recommendations', { trouble: 'crash' }),
    app('shop', 'images', { trouble: 'image' }),
    cronJob('shop', 'sales-report'),
    makeService({
      name: 'web',
      namespace: 'shop',
      type: 'LoadBalancer',
      ingress: [{ ip: '203.0.113.10' }],
      ports: [{ name: 'https', port: 443, targetPort: 8080, nodePort: 31443 }],
    }),
    makeService({ name: 'cart', namespace: 'shop' }),
    makeService({ name: 'search', namespace: 'shop', clusterIP: 'None' }),
    helmRepository('payments', 'charts'),
    helmChart('payments', 'ledger', 'charts'),
    helmRelease('payments', 'ledger', 'charts'),
    app('payments', 'ledger', { replicas: 2 }),
    app('payments', 'fraud', { trouble: 'out-of-memory' }),
    app('payments', 'invoices', { initContainers: [{ name: 'wait-for-database' }], trouble: 'init-crash' }),
    makeService({ name: 'ledger', namespace: 'payments' }),
    makeService({
      name: 'gateway',
      namespace: 'payments',
      type: 'LoadBalancer',
      ingress: [{ hostname: 'pay.example.com' }],
    }),
  ];
}

/** A smaller shop, for the next version. */
export function staging(): NewObject[] {
  return [
    makeNamespace('shop'),
    node('node-a'),
    gitRepository('shop', 'shop'),
    kustomization('shop', 'shop', { source: 'shop', inventory: inventory('shop', ['web', 'cart'], ['web']) }),
    app('shop', 'web', { replicas: 1 }),
    app('shop', 'cart', { replicas: 1 }),
    makeService({ name: 'web', namespace: 'shop', type: 'LoadBalancer' }),
  ];
}
