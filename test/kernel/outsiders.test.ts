/** Files outside the watched folders: a helper beside the root's own folders is as live as one in modules/. */
import { afterEach, expect, it } from 'vitest'
import { Outsiders } from '../../modules/kernel/outsiders.ts'
import { silentLog } from '../support/bell.ts'
import { createRoot, type TestRoot } from '../support/root.ts'
import { startSystem } from '../support/system.ts'

const ends: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

function outsiders(root: TestRoot): {
  follow(...files: string[]): void
  rings: string[]
  next(file: string): Promise<void>
} {
  const rings: string[] = []
  const waiting = new Set<() => void>()
  const watched = new Outsiders({
    log: silentLog,
    files_max: 3,
    inside: (path) => path.startsWith(`${root.path}/modules/`),
    hint: (path) => {
      rings.push(path.slice(root.path.length + 1))
      for (const check of waiting) check()
    },
  })
  ends.push(() => watched.close())
  return {
    rings,
    follow: (...files) => watched.follow(files.map((file) => `${root.path}/${file}`)),
    next: (file) =>
      new Promise((resolve) => {
        const check = (): void => {
          if (!rings.includes(file)) return
          waiting.delete(check)
          resolve()
        }
        waiting.add(check)
        check()
      }),
  }
}

it.each(['write', 'writeByRename'] as const)(
  'a file outside rings when it is saved (%s), one inside does not',
  async (save) => {
    const root = createRoot({ 'shared/a.ts': '1', 'modules/b.ts': '1' })
    ends.push(() => root.dispose())
    const { follow, next, rings } = outsiders(root)
    follow('shared/a.ts', 'modules/b.ts')
    // Until the watch stands, a save may go unheard: each turn saves again.
    const heard = next('shared/a.ts')
    const pause = (): Promise<string> => new Promise((resolve) => setTimeout(() => resolve('not yet'), 10))
    for (let n = 2; (await Promise.race([heard, pause()])) === 'not yet'; n++) {
      root[save]('shared/a.ts', String(n))
      root[save]('modules/b.ts', String(n))
    }
    expect(new Set(rings)).toEqual(new Set(['shared/a.ts']))
  },
)

it('a helper outside modules/ is part of the module that imports it', async () => {
  const system = await startSystem({
    'configs/m.yml': '',
    'modules/m.ts': "import { n } from '../shared/n.ts'\nexport class Module { n() { return n } }",
    'shared/n.ts': 'export const n = 1',
  })
  ends.push(() => system.stop())
  const live = system.event('service.live', (data) => data['generation'] === 2)
  system.root.write('shared/n.ts', 'export const n = 2')
  await live
  expect(await (system.getApi('m')['n'] as () => Promise<unknown>)()).toBe(2)
})
