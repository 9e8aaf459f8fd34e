/** The same on real files with the real watcher: random saves, moves and removals, compared with a cold boot. */
import { readdirSync } from 'node:fs'
import { join, relative } from 'node:path'
import { expect, it } from 'vitest'
import { random, type Random } from '../support/load.ts'
import { createRoot, type TestRoot } from '../support/root.ts'
import { startSystem, type TestSystem } from '../support/system.ts'

const SEQUENCES = 50
const CHANGES_MAX = 8
const APIS = ['a', 'b', 'c', 'd']
const CONFIGS = [
  '',
  'prog: a',
  'prog: b\nsize: 1',
  'size: 2',
  'needs: [a]',
  'api: d',
  'enabled: false',
  'prog: [',
  '- a',
  'prog: none',
]
const MODULES = ['export class Module {', 'export class Other {}', 'import "./none.ts"\nexport class Module {}']

let made = 0
const good = (): string =>
  `import { n } from './shared/h.ts'\nexport class Module { value() { return [${++made}, n] } }\n`

function change(root: TestRoot, draw: Random): void {
  const pick = <T>(list: readonly T[]): T => list[draw.between(0, list.length - 1)] as T
  const save = (file: string, text: string): void =>
    draw.next() < 0.5 ? root.write(file, text) : root.writeByRename(file, text)
  const roll = draw.next()
  if (roll < 0.4) save(`configs/${pick(APIS)}${draw.next() < 0.2 ? '-v1.2' : ''}.yml`, pick(CONFIGS))
  else if (roll < 0.7) save(`modules/${pick(['a', 'b', 'c'])}.ts`, draw.next() < 0.7 ? good() : pick(MODULES))
  else if (roll < 0.85) save('modules/shared/h.ts', draw.next() < 0.8 ? `export const n = ${++made}\n` : 'export const')
  else root.remove(`configs/${pick(APIS)}.yml`)
}

/** What is wanted, what is wrong with it, and what runs of it; of services that nobody can start, only that. */
function standing(system: TestSystem, cold: TestSystem): string[] {
  const { reconciler } = system.kernel as unknown as {
    reconciler: { wanted: { desired: { services: Map<string, { hash: string }> } } }
  }
  const wanted = [...reconciler.wanted.desired.services].map(([api, { hash }]) => `wants ${api} ${hash}`)
  const errors = system.kernel.status().config_errors.map((error) => JSON.stringify(error))
  const running = [...cold.kernel.services.values()].flatMap(({ api, live }) => {
    const mine = system.kernel.services.get(api)?.live
    return live === undefined || api === 'kernel' ? [] : [`runs ${api} ${mine?.desired.hash} ${mine?.scan.key}`]
  })
  return [...wanted, ...errors, ...running].sort()
}

/** The same files as another root: a boot of its own writes its own runtime/. */
function copyOf(root: TestRoot): TestRoot {
  const files: Record<string, string> = {}
  for (const folder of ['configs', 'modules']) {
    for (const entry of readdirSync(join(root.path, folder), { recursive: true, withFileTypes: true })) {
      const file = relative(root.path, join(entry.parentPath, entry.name))
      if (entry.isFile()) files[file] = root.read(file)
    }
  }
  return createRoot(files)
}

it(`${SEQUENCES} random sequences of saves end as a cold boot on the same files`, async () => {
  const draw = random(9)
  const files = { 'modules/shared/h.ts': 'export const n = 0\n' }
  const system = await startSystem({
    ...files,
    ...Object.fromEntries(['a', 'b', 'c'].map((name) => [`modules/${name}.ts`, good()])),
  })
  try {
    for (let sequence = 0; sequence < SEQUENCES; sequence++) {
      for (let left = draw.between(1, CHANGES_MAX); left > 0; left--) {
        change(system.root, draw)
        await new Promise((resolve) => setTimeout(resolve, draw.between(0, 20)))
      }
      const cold = await startSystem(copyOf(system.root))
      try {
        await expect
          .poll(() => standing(system, cold), { message: `sequence ${sequence}` })
          .toEqual(standing(cold, cold))
      } finally {
        await cold.stop()
      }
    }
  } finally {
    await system.stop()
  }
})
