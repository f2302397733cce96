import { describe, expect, it } from 'vitest';
import * as fc from 'fast-check';
import { text } from './json.ts';
import type { KubernetesObject } from './object.ts';
import { readKubectl, sent } from './pod.fixture.ts';
import { serviceColumns } from './service-columns.ts';

const services = readKubectl('services.json');
const { services: rows } = readKubectl('expected.json');
const cases = services.map((service, index) => ({ name: service.metadata.name, service, row: rows[index] }));

/** What kubectl writes for "nothing" and for an ExternalName, which are values of another kind for us. */
function printedExternalIP(service: KubernetesObject): string {
  const { type, externalIPs } = serviceColumns(service);
  if (type === 'ExternalName') return text(service.spec?.['externalName']);
  if (externalIPs.length > 0) return externalIPs.join(',');
  return type === 'LoadBalancer' ? '<pending>' : '<none>';
}

function service(spec: unknown, status?: unknown): KubernetesObject {
  return sent({ ...services[0], spec, status });
}

describe('serviceColumns', () => {
  it.each(cases)('prints $name as kubectl does', ({ name, service, row }) => {
    const { type, clusterIP, ports } = serviceColumns(service);
    expect({
      name,
      type,
      clusterIP: clusterIP ?? '<none>',
      externalIP: printedExternalIP(service),
      ports: ports.map((port) => port.text).join(',') || '<none>',
    }).toEqual(row);
  });

  it('has no external IP for an ExternalName', () => {
    expect(serviceColumns(service({ type: 'ExternalName', externalName: 'db.example' })).externalIPs).toEqual([]);
  });

  it('names every address once', () => {
    const columns = serviceColumns(
      service(
        { type: 'LoadBalancer', externalIPs: ['192.0.2.1', '192.0.2.9', '192.0.2.1'] },
        { loadBalancer: { ingress: [{ ip: '192.0.2.9' }, { hostname: 'lb.example' }, {}] } },
      ),
    );
    expect(columns.externalIPs).toEqual(['192.0.2.9', 'lb.example', '192.0.2.1']);
  });

  it('fills in what the API server would', () => {
    expect(serviceColumns(service({ ports: [{ port: 80 }, { name: 'x', port: 81, targetPort: 'web' }] }))).toEqual({
      type: 'ClusterIP',
      clusterIP: undefined,
      externalIPs: [],
      ports: [
        { name: undefined, port: 80, targetPort: '80', nodePort: undefined, protocol: 'TCP', text: '80/TCP' },
        { name: 'x', port: 81, targetPort: 'web', nodePort: undefined, protocol: 'TCP', text: '81/TCP' },
      ],
    });
  });

  it('never throws', () => {
    const junk = fc.record({
      type: fc.jsonValue(),
      clusterIPs: fc.jsonValue(),
      externalIPs: fc.jsonValue(),
      ports: fc.oneof(fc.array(fc.record({ port: fc.jsonValue(), targetPort: fc.jsonValue() })), fc.jsonValue()),
    });
    fc.assert(
      fc.property(junk, fc.jsonValue(), (spec, status) => {
        expect(serviceColumns(service(spec, status)).type).toBeTypeOf('string');
      }),
    );
  });
});
