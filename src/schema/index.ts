import { addActions } from './actions.ts';
import { builder } from './builder.ts';
import { addConnection } from './connection.ts';
import { addNamespaces } from './namespaces.ts';
import { addPods } from './pods.ts';
import { addServices } from './services.ts';

addPods();
addServices();
addNamespaces();
addConnection();
addActions();

/** The public schema. */
export const schema = builder.toSchema();
