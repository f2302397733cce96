import { integer, list, optionalText, record, records, text, type JsonRecord } from './json.ts';
import type { KubernetesObject } from './object.ts';

export interface ServiceColumns {
  /** ClusterIP, NodePort, LoadBalancer or ExternalName. */
  readonly type: string;
  /** The first cluster IP; "None" for a headless service, undefined for an ExternalName. */
  readonly clusterIP: string | undefined;
  /** IPs or host names: the load balancer's, then `spec.externalIPs`, each once. */
  readonly externalIPs: readonly string[];
  readonly ports: readonly ServicePort[];
}

export interface ServicePort {
  readonly name: string | undefined;
  readonly port: number;
  /** A number or the name of a container's port. */
  readonly targetPort: string;
  readonly nodePort: number | undefined;
  /** TCP, UDP or SCTP. */
  readonly protocol: string;
  /** As kubectl prints it: "80/TCP", with a node port "80:30080/TCP". */
  readonly text: string;
}

/**
 * The columns of `kubectl get services`. Where the API server would have filled in a default, so does this.
 * Source: printService in Kubernetes' pkg/printers/internalversion/printers.go, with which test/kubectl compares it.
 */
export function serviceColumns(service: KubernetesObject): ServiceColumns {
  const spec = record(service.spec);
  return {
    type: text(spec['type']) || 'ClusterIP',
    clusterIP: optionalText(list(spec['clusterIPs'])[0]) ?? optionalText(spec['clusterIP']),
    externalIPs: externalIPs(service),
    ports: records(spec['ports']).map(servicePort),
  };
}

/** The IP, or else the host name, of each of the load balancer's entries. */
export function loadBalancerAddresses(service: KubernetesObject): readonly string[] {
  const ingress = records(record(record(service.status)['loadBalancer'])['ingress']);
  return ingress.map((entry) => text(entry['ip']) || text(entry['hostname'])).filter((address) => address !== '');
}

function externalIPs(service: KubernetesObject): readonly string[] {
  const specified = list(record(service.spec)['externalIPs'])
    .map(text)
    .filter((address) => address !== '');
  return [...new Set([...loadBalancerAddresses(service), ...specified])];
}

function servicePort(fields: JsonRecord): ServicePort {
  const port = integer(fields['port']);
  const nodePort = integer(fields['nodePort']) || undefined;
  const protocol = text(fields['protocol']) || 'TCP';
  return {
    name: optionalText(fields['name']),
    port,
    targetPort: text(fields['targetPort']) || String(integer(fields['targetPort']) || port),
    nodePort,
    protocol,
    text: nodePort === undefined ? `${port}/${protocol}` : `${port}:${nodePort}/${protocol}`,
  };
}
