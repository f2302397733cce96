import type { Json, JsonObject } from './json.ts';

export interface Metadata extends JsonObject {
  name: string;
  namespace?: string;
  uid: string;
  resourceVersion: string;
  generation?: number;
  creationTimestamp: string;
  deletionTimestamp?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  finalizers?: string[];
}

/** An object in the store: complete and immutable. */
export interface ApiObject extends JsonObject {
  apiVersion: string;
  kind: string;
  metadata: Metadata;
  spec?: JsonObject;
  status?: JsonObject;
}

/** An object before the store has seen it. */
export interface NewObject extends JsonObject {
  apiVersion: string;
  kind: string;
  metadata: JsonObject;
  spec?: JsonObject;
  status?: JsonObject;
}

export type { Json, JsonObject };
