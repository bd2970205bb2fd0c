/**
 * Where the files of a polled source lie: the same text for the same folder, whatever the connections are called that lead there, and
 * wherever the root of one ends and the path below it begins. Links and other names of one host are not seen through.
 */
import type { Connection, PolledSourceDefinition } from './definition.ts';
import { plainPath } from './plain-path.ts';

export type PlaceOf = (source: Partial<PolledSourceDefinition>) => string;

/** `connectionOf`: what stands behind a name; of one that is not there the name is all that is known. */
export function placesBy(connectionOf: (name: string) => Connection | undefined): PlaceOf {
  return ({ connection = '', path = '.' }) => {
    const spec = connectionOf(connection)?.spec;
    if (spec === undefined || !('root' in spec)) return `${connection} ${plainPath(path)}`;
    // A document with mistakes may be without any of it.
    const { root = '.' } = spec as { readonly root?: string };
    return [...serviceOf(spec), plainPath(`${root}/${path}`)].join(' ');
  };
}

function serviceOf(spec: Extract<Connection['spec'], { readonly root: string }>): readonly (string | number)[] {
  switch (spec.type) {
    case 'folder':
      return ['folder'];
    case 'sftp':
      // A root without a slash begins at the home of the user.
      return ['sftp', `${spec.host}`.toLowerCase(), spec.port, spec.user, `${spec.root}`.startsWith('/') ? '/' : '~'];
    case 's3':
    case 'gcs':
      return [spec.type, spec.endpoint ?? '', spec.bucket];
    case 'azure-blob':
      return [spec.type, spec.endpoint ?? '', spec.account, spec.container];
  }
}
