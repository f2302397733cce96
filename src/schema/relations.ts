import type { GraphQLResolveInfo } from 'graphql';
import { ApiError } from '../errors.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import { controllerOf, type Controller } from '../kubernetes/owners.ts';
import { CRON_JOBS, DEPLOYMENTS, JOBS, PODS, REPLICA_SETS, SERVICES, type Resource } from '../kubernetes/resources.ts';
import type { Context } from './context.ts';
import { comingFrom, originOf, type Origin } from './origin.ts';
import { addRelated, isLive, relatedIn, relatedKind } from './related.ts';

type Objects = readonly KubernetesObject[];

const NONE: Objects = Object.freeze([]);
/** A pod of a CronJob has two owners above it; nothing has more than a few. */
const MAX_OWNERS = 5;
/** A Deployment counts its templates here, on each of its ReplicaSets. */
const REVISION = 'deployment.kubernetes.io/revision';

/** What lies between a workload and its pods. */
const BETWEEN: Readonly<Record<string, Resource>> = {
  [DEPLOYMENTS.kind]: REPLICA_SETS,
  [CRON_JOBS.kind]: JOBS,
};

/** The last of the controllers above the object that can be seen; null when there is none. */
export async function topOwner(
  object: KubernetesObject,
  context: Context,
  info: GraphQLResolveInfo,
): Promise<KubernetesObject | null> {
  const origin = originOf(object);
  let top: KubernetesObject | undefined;
  for (let hops = 0; hops < MAX_OWNERS; hops += 1) {
    const controller = controllerOf(top ?? object);
    const next = controller && (await ownerIn(origin, controller, context, info));
    if (next === undefined) break;
    top = next;
  }
  return top === undefined ? null : top;
}

async function ownerIn(
  origin: Origin,
  { apiVersion, kind, uid }: Controller,
  context: Context,
  info: GraphQLResolveInfo,
): Promise<KubernetesObject | undefined> {
  const group = apiVersion.includes('/') ? (apiVersion.split('/', 1)[0] ?? '') : '';
  const resource = await servedResource(origin, group, kind, context);
  if (resource === undefined) return undefined;
  const scope = resource.namespaced ? origin : { ...origin, namespace: undefined };
  const found = await relatedKind(context, info, scope, resource);
  const owner = found.index?.get(uid);
  if (owner === undefined || found.index === undefined) return undefined;
  addRelated(context, info, 1);
  comingFrom(found.origin, [owner]);
  return owner;
}

/** Undefined as well when it cannot be found out: then the owner below is the last that can be seen. */
async function servedResource(
  { agentId }: Origin,
  group: string,
  kind: string,
  context: Context,
): Promise<Resource | undefined> {
  try {
    return await context.gate.clusters.ofKind(context.viewer(), agentId, group, kind);
  } catch (error) {
    if (error instanceof ApiError) return undefined;
    throw error;
  }
}

/** The pods that a workload controls, by way of its ReplicaSets or Jobs; [] when they cannot be seen. */
export async function podsOf(workload: KubernetesObject, context: Context, info: GraphQLResolveInfo): Promise<Objects> {
  return podsUnder(workload, await holdersOf(workload, context, info), context, info);
}

/** The pods of the current template: of a Deployment those of its newest ReplicaSet. */
export async function currentPodsOf(
  workload: KubernetesObject,
  context: Context,
  info: GraphQLResolveInfo,
): Promise<Objects> {
  const holders = await holdersOf(workload, context, info);
  return podsUnder(workload, workload.kind === DEPLOYMENTS.kind ? newest(holders) : holders, context, info);
}

/** What its pods belong to: itself, or what lies between. */
async function holdersOf(workload: KubernetesObject, context: Context, info: GraphQLResolveInfo): Promise<Objects> {
  const between = BETWEEN[workload.kind];
  if (between === undefined) return [workload];
  const { index } = await relatedKind(context, info, originOf(workload), between);
  return index?.controlledBy(workload.metadata.uid) ?? NONE;
}

async function podsUnder(
  workload: KubernetesObject,
  holders: Objects,
  context: Context,
  info: GraphQLResolveInfo,
): Promise<Objects> {
  const found = await relatedKind(context, info, originOf(workload), PODS);
  if (found.index === undefined) return NONE;
  const pods = holders.flatMap((holder) => found.index.controlledBy(holder.metadata.uid));
  addRelated(context, info, pods.length);
  return comingFrom(found.origin, pods);
}

function newest(replicaSets: Objects): Objects {
  const [first] = replicaSets.toSorted((a, b) => revision(b) - revision(a));
  return first === undefined ? NONE : [first];
}

function revision(replicaSet: KubernetesObject): number {
  return Number(replicaSet.metadata.annotations?.[REVISION] ?? 0) || 0;
}

/** The pods that a service sends its traffic to; [] when they cannot be seen. */
export async function podsOfService(
  service: KubernetesObject,
  context: Context,
  info: GraphQLResolveInfo,
): Promise<Objects> {
  const found = await relatedKind(context, info, originOf(service), PODS);
  if (found.index === undefined) return NONE;
  const pods = found.index.selectedBy(service);
  addRelated(context, info, pods.length);
  return comingFrom(found.origin, pods);
}

/** The services that send traffic to a pod; [] when they cannot be seen. */
export async function servicesOf(pod: KubernetesObject, context: Context, info: GraphQLResolveInfo): Promise<Objects> {
  const found = await relatedKind(context, info, originOf(pod), SERVICES);
  if (found.index === undefined) return NONE;
  const services = found.index.selecting(pod);
  addRelated(context, info, services.length);
  return comingFrom(found.origin, services);
}

/** What was found of an object by its name; without a problem, that it is not there is known. */
export interface Named {
  readonly object: KubernetesObject | undefined;
  /** Why it cannot be known, in words. */
  readonly problem: string | undefined;
}

/**
 * An object of any kind by its name, wherever the viewer may see it. Whoever looked at all namespaces is answered from
 * the collection of all of them, if they may see it: one for a whole page.
 */
export async function objectNamed(
  { agentId, namespace: seenIn }: Origin,
  { group, kind, namespace, name }: { group: string; kind: string; namespace: string | undefined; name: string },
  context: Context,
  info: GraphQLResolveInfo,
): Promise<Named> {
  try {
    const resource = await context.gate.clusters.ofKind(context.viewer(), agentId, group, kind);
    if (resource === undefined) return unknown(`the cluster serves no ${kind} that could be watched`);
    const itsOwn = resource.namespaced ? namespace : undefined;
    const scopes = seenIn === undefined ? [undefined, itsOwn] : [itsOwn, ...(isLive(info) ? [undefined] : [])];
    const found = await relatedIn(context, info, { agentId, resource }, scopes);
    if (found.index === undefined) return unknown(found.problem);
    const object = found.index.find(itsOwn, name);
    if (object === undefined) return { object, problem: undefined };
    addRelated(context, info, 1);
    comingFrom(found.origin, [object]);
    return { object, problem: undefined };
  } catch (error) {
    // Not knowing what a cluster serves is no reason to fail an answer about something else.
    if (error instanceof ApiError && error.code !== 'LIMIT_EXCEEDED') return unknown(error.message);
    throw error;
  }
}

function unknown(problem: string): Named {
  return { object: undefined, problem };
}
