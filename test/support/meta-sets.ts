/**
 * Random sets of meta files, some of them broken, and which kernel has to start of each. The expectation is worked out
 * from the numbers the names are made of, not from the names.
 */
import type { Random } from './load.ts'

/** How a kernel may fail to start, and the code it is told with. The first is none. */
export const WAYS: readonly { name: string; code: string | undefined; meta: string }[] = [
  { name: 'good', code: undefined, meta: 'prog: good\n' },
  { name: 'bad YAML', code: 'config_syntax', meta: 'prog: [good\n' },
  { name: 'an empty file', code: 'config_not_map', meta: '' },
  { name: 'no prog', code: 'config_key', meta: 'defaults: {}\n' },
  { name: 'a prog that is nowhere', code: 'prog_not_found', meta: 'prog: nowhere\n' },
  { name: 'a syntax error', code: 'source_syntax', meta: 'prog: syntax\n' },
  { name: 'a missing import', code: 'import_missing', meta: 'prog: lacking\n' },
  { name: 'a throw on import', code: 'module_threw', meta: 'prog: thrower\n' },
  { name: 'no class Kernel', code: 'no_kernel_class', meta: 'prog: classless\n' },
  { name: 'a constructor that throws', code: 'callee_error', meta: 'prog: unmade\n' },
  { name: 'a boot that fails', code: 'callee_error', meta: 'prog: unbooted\n' },
]

const kernel = (body: string): string => `
export class Kernel {
  constructor(options) { this.version = options.metaFile; ${body === 'constructor' ? "throw new Error('no hands')" : ''} }
  async boot() { ${body === 'boot' ? "throw new Error('no legs')" : ''} }
  async settled() {}
  async waitForShutdown() { return null }
  async stop() {}
  status() { return { version: this.version, services: {} } }
  fault() { return undefined }
}
`

export const KERNELS: Record<string, string> = {
  'modules/good.ts': kernel(''),
  'modules/syntax.ts': 'export class Kernel {\n  boot( {}\n}\n',
  'modules/lacking.ts': "import './part.ts'\nexport class Kernel {}\n",
  'modules/thrower.ts': "const ready = false\nif (!ready) throw new Error('not today')\nexport class Kernel {}\n",
  'modules/classless.ts': 'export class Module {}\n',
  'modules/unmade.ts': kernel('constructor'),
  'modules/unbooted.ts': kernel('boot'),
}

export interface MetaSet {
  files: Record<string, string>
  /** newest first: each path with the code it fails with */
  order: { path: string; code: string | undefined }[]
  /** the one that has to start; undefined when none can */
  starts: string | undefined
}

type Numbers = [major: number, minor: number, patch: number]

/** `v1`, `v1.2` and `v1.2.3` are written as short as the numbers allow, or not, as chance has it. */
function nameOf([major, minor, patch]: Numbers, random: Random): string {
  const shortest = patch > 0 ? 3 : minor > 0 ? 2 : 1
  const parts = [major, minor, patch].slice(0, random.between(shortest, 3))
  return `configs/meta-v${parts.join('.')}.${random.next() < 0.8 ? 'yml' : 'yaml'}`
}

export function metaSet(size: number, random: Random): MetaSet {
  const versions = new Map<string, Numbers>()
  while (versions.size < size) {
    const numbers: Numbers = [random.between(0, 11), random.between(0, 11), random.between(0, 2)]
    versions.set(numbers.join('.'), numbers)
  }
  // From sets in which all work to sets in which none does.
  const share = random.next() < 0.1 ? 1 : random.next()
  const newest = [...versions.values()].sort((a, b) => b[0] - a[0] || b[1] - a[1] || b[2] - a[2])
  const files: Record<string, string> = {}
  const order = newest.map((numbers) => {
    const way = random.next() < share ? WAYS[random.between(1, WAYS.length - 1)] : WAYS[0]
    const path = nameOf(numbers, random)
    files[path] = way?.meta ?? ''
    return { path, code: way?.code }
  })
  return { files, order, starts: order.find(({ code }) => code === undefined)?.path }
}
