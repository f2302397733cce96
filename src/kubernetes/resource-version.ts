/** A number as etcd's revisions are written: no sign, no leading zero, hence never "0" and never empty. */
const REVISION = /^[1-9][0-9]*$/;

/**
 * Orders two resourceVersions of the same resource: -1 when `a` is older than `b`, 1 when it is newer, 0 when they
 * are the same. 'unknown' when they differ and one of them is not a plain decimal number: then only their difference
 * means something. They outgrow a double, so they are never converted: the longer is the newer, digits decide the rest.
 * Source: KEP-5504, k8s.io/apimachinery/pkg/util/resourceversion.
 */
export function compareResourceVersions(a: string, b: string): -1 | 0 | 1 | 'unknown' {
  if (a === b) return 0;
  if (!REVISION.test(a) || !REVISION.test(b)) return 'unknown';
  if (a.length !== b.length) return a.length < b.length ? -1 : 1;
  return a < b ? -1 : 1;
}
