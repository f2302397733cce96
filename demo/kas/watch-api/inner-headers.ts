/** Headers of the requests that KAS makes itself, for the watches of a connection: authorized once, when it was opened. */
export const INNER_SECRET = 'demo-inner-secret';
export const INNER_USER = 'demo-inner-user';
export const INNER_AGENT = 'demo-inner-agent';
