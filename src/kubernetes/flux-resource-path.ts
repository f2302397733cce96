import { badInput, type ApiError } from '../errors.ts';
import { checkName, checkNamespace, checkVersion } from './names.ts';
import { quote } from './quote.ts';
import { FLUX_RESOURCES, type Resource } from './resources.ts';

export interface FluxResourcePath {
  /** Its version is the path's own, a hint: the cluster may serve another by now. */
  readonly resource: Resource;
  readonly namespace: string;
  readonly name: string;
}

/** In characters; the longest path that can pass is shorter. */
const MAX_LENGTH = 512;

const SHAPE = '"{group}/{version}/namespaces/{namespace}/{plural}/{name}" of a Flux resource';

/**
 * Takes apart the path by which GitLab stores the Flux object of an environment, such as
 * "kustomize.toolkit.fluxcd.io/v1/namespaces/flux-system/kustomizations/apps". Throws `BAD_USER_INPUT` naming
 * fluxResourcePath for anything but one of Flux's seven kinds with names by their grammar, so that what passes is safe in
 * a URL.
 */
export function parseFluxResourcePath(value: unknown): FluxResourcePath {
  if (typeof value !== 'string' || value.length > MAX_LENGTH) throw refusal(value);
  const [group, version, namespaces, namespace, plural, name, ...rest] = value.split('/', 7);
  if (namespaces !== 'namespaces' || rest.length > 0) throw refusal(value);
  const resource = FLUX_RESOURCES.find((each) => each.group === group && each.plural === plural);
  if (resource === undefined) throw refusal(value);
  return {
    resource: { ...resource, version: checkVersion(version, 'fluxResourcePath: the version') },
    namespace: checkNamespace(namespace, 'fluxResourcePath: the namespace'),
    name: checkName(name, 'fluxResourcePath: the name'),
  };
}

function refusal(value: unknown): ApiError {
  return badInput('fluxResourcePath', `${SHAPE}, not ${typeof value === 'string' ? quote(value) : typeof value}`);
}
