import { badInput } from '../errors.ts';
import { checkName, checkNamespace, parseApiVersion } from '../kubernetes/names.ts';
import { builder } from './builder.ts';

const UID = /^[\w.:-]{1,128}$/;
const KIND = /^[A-Za-z][A-Za-z0-9]{0,62}$/;

export const K8sObjectRef = builder.inputType('K8sObjectRef', {
  description: 'An object of a namespace, by name.',
  fields: (t) => ({
    apiVersion: t.string({
      description: 'Group and version, such as `apps/v1`. Omitted or null: of any group; the version does not matter.',
    }),
    kind: t.string({ required: true, description: 'The kind, such as `Deployment`.' }),
    namespace: t.string({ required: true, description: 'Its namespace.' }),
    name: t.string({ required: true, description: 'Its name.' }),
    uid: t.id({ description: 'Only if the object of this name has this id. Omitted or null: whichever has the name.' }),
  }),
});

export type ObjectRefInput = typeof K8sObjectRef.$inferInput;

/** A reference whose parts have passed their grammar. */
export interface ObjectRef {
  /** Undefined: any. */
  readonly group: string | undefined;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string | undefined;
}

/** Throws BAD_USER_INPUT. */
export function checkObjectRef(
  { apiVersion, kind, namespace, name, uid }: ObjectRefInput,
  argument: string,
): ObjectRef {
  if (!KIND.test(kind)) throw badInput(`${argument}.kind`, 'the name of a kind, such as Deployment');
  return {
    group: apiVersion == null ? undefined : parseApiVersion(apiVersion, `${argument}.apiVersion`).group,
    kind,
    namespace: checkNamespace(namespace, `${argument}.namespace`),
    name: checkName(name, `${argument}.name`),
    uid: checkUid(uid, `${argument}.uid`),
  };
}

export function checkUid(uid: string | null | undefined, argument = 'uid'): string | undefined {
  if (uid == null) return undefined;
  if (!UID.test(uid)) throw badInput(argument, "an object's id");
  return uid;
}
