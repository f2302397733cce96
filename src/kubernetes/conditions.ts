import { optionalInteger, optionalText, record, records, text } from './json.ts';
import type { KubernetesObject } from './object.ts';
import { timestamp } from './timestamp.ts';

export interface Condition {
  readonly type: string;
  /** 'True', 'False' or 'Unknown'; '' when the cluster sent none of them. */
  readonly status: string;
  readonly reason: string | undefined;
  readonly message: string | undefined;
  /** RFC 3339. */
  readonly lastTransitionTime: string | undefined;
  /** The `metadata.generation` that it was made for; many kinds do not say. */
  readonly observedGeneration: number | undefined;
}

/** The conditions of an object's status, in its order. An entry without a type is none. */
export function conditionsOf(object: KubernetesObject): Condition[] {
  return records(record(object.status)['conditions'])
    .filter((each) => text(each['type']) !== '')
    .map((each) => ({
      type: text(each['type']),
      status: text(each['status']),
      reason: optionalText(each['reason']),
      message: optionalText(each['message']),
      lastTransitionTime: timestamp(each['lastTransitionTime']),
      observedGeneration: optionalInteger(each['observedGeneration']),
    }));
}
