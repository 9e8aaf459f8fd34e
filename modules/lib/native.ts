/**
 * Which package carries a native part on this Node. Chosen by major version, never by trying to load:
 * better-sqlite3 13 needs a newer Node-API than Node 20 has and ends the process with a segmentation fault.
 */
export type NativePart = 'better-sqlite3' | 'isolated-vm'

export function nativePackage(part: NativePart, nodeMajor = Number(process.versions.node.split('.')[0])): string {
  switch (part) {
    case 'better-sqlite3':
      return nodeMajor < 22 ? 'sqlite-node20' : 'better-sqlite3'
    case 'isolated-vm':
      if (nodeMajor < 22) return 'ivm-node20'
      return nodeMajor < 24 ? 'ivm-node22' : 'isolated-vm'
    default: {
      const never: never = part
      return never
    }
  }
}
