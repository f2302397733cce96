import assert from 'node:assert/strict';
import { isInterfaceType } from 'graphql';
import { expect, it } from 'vitest';
import { schema } from './index.ts';
import { namespace, pod, service } from './testing/objects.ts';
import { unchecked } from './testing/unchecked.ts';

it.each([
  [pod('a'), 'K8sPod'],
  [service('a'), 'K8sService'],
  [namespace('a'), 'K8sNamespace'],
  [{ ...pod('a'), apiVersion: 'v2' }, 'K8sPod'],
  [{ ...pod('a'), apiVersion: 'metrics.k8s.io/v1' }, 'K8sGenericObject'],
])('knows the type of an object by its group and kind', (object, typeName) => {
  const type = schema.getType('K8sObject');
  assert(isInterfaceType(type));
  expect(type.resolveType?.(object, {}, unchecked({}), type)).toBe(typeName);
});
