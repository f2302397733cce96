import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { DEFAULTS } from '../../src/config.ts';
import { buildChecker, checkChart, checkManifests, type Report } from './checker.ts';
import { configOf, expectLockedDown, kascadeOf, one, patienceOf, podOf } from './container.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const CHART = `${ROOT}deploy/helm/kascade`;
const MIB = 1_024;

const read = (path: string) => readFileSync(`${ROOT}${path}`, 'utf8');

describe('the Dockerfile', () => {
  const dockerfile = read('Dockerfile');
  const final = dockerfile.slice(dockerfile.lastIndexOf('\nFROM '));

  it('runs as a user without rights, at the port of the configuration', () => {
    expect(final).toMatch(/^USER node$/m);
    expect(final).toMatch(new RegExp(`^EXPOSE ${DEFAULTS.PORT}$`, 'm'));
    expect(final).toMatch(/^ENV .*\bHOST=0\.0\.0\.0\b/m);
  });

  it('asks the health address under the base path, and starts what npm start starts', () => {
    expect(final).toMatch(/^HEALTHCHECK .*\/healthz/m);
    const { scripts } = JSON.parse(read('package.json')) as { scripts: { start: string } };
    expect(final).toContain(`CMD ${JSON.stringify(scripts.start.split(' ')).replaceAll(',', ', ')}`);
  });
});

const checker = await buildChecker();

const render = (values: object = {}) => checkChart(checker ?? '', CHART, values);
const kinds = ({ objects }: Report) => objects.map(({ kind }) => kind).toSorted();

describe.skipIf(checker === undefined)('deploy/sidecar.yaml', () => {
  let objects: Report['objects'];
  beforeAll(() => {
    ({ objects } = checkManifests(checker ?? '', read('deploy/sidecar.yaml')));
  });

  it('is what the API server takes, and whole', () => {
    expect(objects.map(({ kind }) => kind).toSorted()).toEqual([
      'ConfigMap',
      'Deployment',
      'HorizontalPodAutoscaler',
      'Ingress',
      'NetworkPolicy',
      'PodDisruptionBudget',
      'Service',
      'ServiceAccount',
    ]);
  });

  it('gives Kascade an environment it starts with, and probes where it answers', () => {
    expect(configOf(kascadeOf(objects)).basePath).toBe('/k8s-proxy/kascade');
  });

  it('gives it the time that a stop may take', () => {
    const { given, needed } = patienceOf(objects);
    expect(given).toBeGreaterThanOrEqual(needed);
  });

  it('lets no container do more than it must', () => {
    expectLockedDown(kascadeOf(objects));
    expect(podOf(objects)).toMatchObject({
      automountServiceAccountToken: false,
      securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
    });
    for (const container of podOf(objects).containers)
      expect(container.securityContext).toMatchObject({
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
  });

  it('has Kascade below the path of the tunnel, where browsers send the cookie', () => {
    const { env } = kascadeOf(objects);
    const basePath = env.find(({ name }) => name === 'BASE_PATH')?.value ?? '';
    const kasUrl = new URL(env.find(({ name }) => name === 'KAS_URL')?.value ?? '');
    expect(basePath.startsWith(`${kasUrl.pathname}/`)).toBe(true);
    expect(one(objects, 'ConfigMap').data?.['config.yaml']).toContain(`url_path_prefix: ${kasUrl.pathname}/`);
    expect(pathsTo('kascade', objects)).toEqual([{ path: `${basePath}/graphql`, pathType: 'Exact' }]);
  });

  it('selects with one set of labels everywhere', () => {
    const labels = { 'app.kubernetes.io/name': 'gitlab-kas' };
    expect(one(objects, 'Service').spec).toMatchObject({ selector: labels });
    expect(one(objects, 'NetworkPolicy').spec).toMatchObject({ podSelector: { matchLabels: labels } });
    expect(one(objects, 'PodDisruptionBudget').spec).toMatchObject({ selector: { matchLabels: labels } });
    expect(one(objects, 'Deployment').spec).toMatchObject({ template: { metadata: { labels } } });
    expect(one(objects, 'HorizontalPodAutoscaler').spec).toMatchObject({ scaleTargetRef: { name: 'gitlab-kas' } });
  });
});

describe.skipIf(checker === undefined)('the Helm chart', () => {
  const everything = {
    allowedOrigins: ['https://gitlab.example.com', 'https://ops.example.com:8443'],
    config: { LOG_LEVEL: 'debug', LINGER_SECONDS: '60' },
    redis: { urlSecret: { name: 'redis', key: 'url' } },
    serviceToken: { secret: { name: 'kascade-token', key: 'token' } },
    ingress: { enabled: true, className: 'nginx', tlsSecret: 'kas-tls', annotations: { a: 'b' } },
    autoscaling: { enabled: true },
    podAnnotations: { a: 'b' },
    podLabels: { team: 'deploy' },
    nodeSelector: { disk: 'ssd' },
    tolerations: [{ key: 'a', operator: 'Exists' }],
    imagePullSecrets: [{ name: 'pull' }],
  };

  it('renders with its defaults, and Helm has nothing to find fault with', () => {
    const report = render();
    expect(report.lint ?? []).toEqual([]);
    expect(kinds(report)).toEqual(['Deployment', 'NetworkPolicy', 'PodDisruptionBudget', 'Service']);
    expect(configOf(kascadeOf(report.objects)).kasUrl?.href).toBe('http://gitlab-kas:8154/k8s-proxy');
    expectLockedDown(kascadeOf(report.objects));
    expect(report.notes).toContain('/k8s-proxy/kascade/graphql');
  });

  it('renders with everything switched on', () => {
    const report = render(everything);
    expect(report.lint ?? []).toEqual([]);
    expect(kinds(report)).toEqual([
      'Deployment',
      'HorizontalPodAutoscaler',
      'Ingress',
      'NetworkPolicy',
      'PodDisruptionBudget',
      'Service',
    ]);
    const container = kascadeOf(report.objects);
    expect(configOf(container)).toMatchObject({
      logLevel: 'debug',
      lingerSeconds: 60,
      allowedOrigins: everything.allowedOrigins,
    });
    expect(container.env.find(({ name }) => name === 'REDIS_URL')).toMatchObject({
      valueFrom: { secretKeyRef: { name: 'redis', key: 'url' } },
    });
    expect(one(report.objects, 'Deployment').spec).not.toHaveProperty('replicas'); // the autoscaler's to say
  });

  it('renders with the values of the `helm install` in docs/operations.md', () => {
    const [, command = ''] = /^(helm install kascade .*?)\n```/ms.exec(read('docs/operations.md')) ?? [];
    const { objects, lint } = render(valuesOf(command));
    expect(lint ?? []).toEqual([]);
    expect(configOf(kascadeOf(objects)).allowedOrigins).toEqual(['https://gitlab.example.com']);
    expect(JSON.stringify(one(objects, 'Ingress').spec)).toContain('"host":"kas.example.com"');
  });

  it('renders under the root path', () => {
    const { objects } = render({ basePath: '/', ingress: { enabled: true } });
    expect(configOf(kascadeOf(objects)).basePath).toBe('/');
    expect(pathsTo('http', objects)).toEqual([{ path: '/graphql', pathType: 'Exact' }]);
  });

  it('publishes nothing that needs no credentials', () => {
    const { objects } = render(everything);
    expect(pathsTo('http', objects)).toEqual([{ path: '/k8s-proxy/kascade/graphql', pathType: 'Exact' }]);
  });

  it('lets Kascade connect to what is named beside KAS and Redis', () => {
    const collector = { ports: [{ protocol: 'TCP', port: 4318 }] };
    const more = egressOf(render({ networkPolicy: { egress: [collector] } }));
    expect(more).toEqual([...egressOf(render()), collector]);
  });

  it('as a sidecar, is the container and what goes around it', () => {
    const report = render({ ...everything, mode: 'sidecar', kas: { url: 'http://127.0.0.1:8154/k8s-proxy' } });
    expect(kinds(report)).toEqual(['ConfigMap', 'Ingress', 'Service']);
    expect(one(report.objects, 'ConfigMap').data?.['containers.yaml']).toContain('name: kascade');
    expect(one(report.objects, 'Service').spec).toMatchObject({ selector: { app: 'kas' } });
    expect(report.notes).toContain('get configmap kascade-sidecar');
  });

  it.each([
    ['a mode that is none', { mode: 'daemonset' }],
    ['a value nobody reads', { replicaCount: 3 }],
    ['an address of KAS that is none', { kas: { url: 'kas:8154' } }],
    ['a base path that is relative', { basePath: 'kascade' }],
    ['an origin with a path', { allowedOrigins: ['https://gitlab.example.com/'] }],
    ['configuration that has a value of its own', { config: { PORT: '5000' } }],
    ['configuration that is not text', { config: { LINGER_SECONDS: 60 } }],
  ])('refuses %s', (_what, values) => {
    expect(() => render(values)).toThrow(/schema/);
  });

  it('leaves Node a heap that fits into the memory limit', () => {
    const { env, resources } = kascadeOf(render().objects);
    const options = env.find(({ name }) => name === 'NODE_OPTIONS')?.value;
    const limitMiB = Number.parseInt(resources.limits.memory, 10) * MIB;
    expect(options).toBe(`--max-old-space-size=${limitMiB * 0.75}`);
  });

  it('gives Kascade the time that a stop may take, and refuses less', () => {
    const { given, needed } = patienceOf(render().objects);
    expect(given).toBeGreaterThanOrEqual(needed);
    const config = { DRAIN_SECONDS: '60', MAX_REQUEST_SECONDS: '90' };
    const slow = patienceOf(render({ config, terminationGracePeriodSeconds: 600 }).objects).needed;
    expect(slow).toBe(needed + 50 + 60);
    render({ config, terminationGracePeriodSeconds: slow });
    expect(() => render({ config, terminationGracePeriodSeconds: slow - 1 })).toThrow(`must be at least ${slow}`);
  });
});

function egressOf({ objects }: Report): readonly unknown[] {
  return (one(objects, 'NetworkPolicy').spec as { readonly egress: readonly unknown[] }).egress;
}

interface IngressSpec {
  readonly rules: readonly { readonly http: { readonly paths: readonly IngressPath[] } }[];
}

interface IngressPath {
  readonly path: string;
  readonly pathType: string;
  readonly backend: { readonly service: { readonly port: { readonly name: string } } };
}

/** What the ingress routes to the port of that name. */
function pathsTo(port: string, objects: Report['objects']): Pick<IngressPath, 'path' | 'pathType'>[] {
  const { rules } = one(objects, 'Ingress').spec as IngressSpec;
  const paths = rules.flatMap(({ http }) => http.paths);
  const toPort = paths.filter(({ backend }) => backend.service.port.name === port);
  return toPort.map(({ path, pathType }) => ({ path, pathType }));
}

/** What `--set path.to.value=…` means to Helm, as far as the documents use it: texts, true, and lists in braces. */
function valuesOf(command: string): object {
  const values = {};
  for (const [, quoted, plain] of command.matchAll(/--set (?:'(.*?)'|(\S+))/g)) {
    const [path = '', value = ''] = (quoted ?? plain ?? '').split(/=(.*)/s);
    const list = /^\{(.*)\}$/.exec(value)?.[1]?.split(',');
    const names = path.split('.');
    const last = names.pop() ?? '';
    const place = names.reduce<Record<string, unknown>>((parent, name) => {
      const child = (parent[name] ?? {}) as Record<string, unknown>;
      parent[name] = child;
      return child;
    }, values);
    place[last] = list ?? (value === 'true' || value);
  }
  return values;
}
