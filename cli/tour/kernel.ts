/** The tour, where the kernel itself is replaced under the ticker: by a newer one, and by one that cannot be. */
import { countOf, needTicker, TICKER } from './live.ts'
import type { TourStep } from './steps.ts'
import { show, until, type TourWorld } from './world.ts'

export const KERNEL_FILES = ['configs/meta-v2.0.0.yml', 'configs/meta-v3.0.0.yml', 'modules/tour/broken_kernel.ts']
const [NEWER, BROKEN, BROKEN_SOURCE] = KERNEL_FILES as [string, string, string]

const kernel = (world: TourWorld) => world.ask('GET /api/kernel')

/** What the kernel that runs was made from, with a line more. */
async function newerMeta(world: TourWorld): Promise<string> {
  const { meta_file } = await kernel(world)
  const { result } = await world.ask('POST /api/services/{api}/call', {
    params: { api: 'filesystem' },
    body: { method: 'read_file', args: [meta_file] },
  })
  return `# Of the tour.\n${(result as { content: string }).content}`
}

const swap: TourStep = {
  id: 'kernel',
  title: 'Replace the kernel',
  text: 'A second meta file is saved. The new kernel is tried in a thread and takes over in one tick; the ticker stays the version it is, and counts on.',
  hand: `Copy configs/meta-v1.0.0.yml to ${NEWER}, and change a line`,
  page: 'kernel',
  async act(world) {
    await needTicker(world)
    const before = await kernel(world)
    world.notes.set('kernel count', await countOf(world))
    world.notes.set('kernel before', before.version)
    if (before.version !== '2.0.0') await world.write(NEWER, await newerMeta(world))
    await until(world, 'the kernel to take over', async () =>
      (await kernel(world)).version === '2.0.0' ? true : undefined,
    )
  },
  async check(world) {
    const { version, history } = await kernel(world)
    const change = history.findLast(({ to, outcome }) => to === '2.0.0' && outcome === 'swapped')
    const ticker = await show(world, TICKER)
    if (version !== '2.0.0' || change === undefined || ticker?.state !== 'live') return undefined
    const count = await countOf(world)
    if (count < Number(world.notes.get('kernel count') ?? 0)) return undefined
    return `kernel ${change.from} → 2.0.0, paused ${change.pause_ms} ms; the ticker is still g${ticker.generation}, at ${count}`
  },
}

const broken: TourStep = {
  id: 'broken-kernel',
  title: 'Replace it with a broken one',
  text: 'A third kernel throws as soon as it is read. It is refused, with the reason, and the second one serves on.',
  hand: `Save ${BROKEN_SOURCE} with a throw, and ${BROKEN} with prog: tour/broken_kernel`,
  page: 'kernel',
  async act(world) {
    await world.write(BROKEN_SOURCE, "throw new Error('not today')\n")
    await world.write(BROKEN, 'prog: tour/broken_kernel\n')
    await until(world, 'the broken kernel to be refused', () => refusal(world))
  },
  check: refusal,
}

async function refusal(world: TourWorld): Promise<string | undefined> {
  const { version, versions, history } = await kernel(world)
  const standing = versions.find((one) => one.version === '3.0.0' && one.state === 'refused')
  const tried = history.findLast(({ to, outcome }) => to === '3.0.0' && outcome === 'refused')
  const error = standing?.error ?? tried?.error
  if (error === undefined || error === null || version === '3.0.0') return undefined
  return `3.0.0 is refused: ${error.message}; ${version} serves`
}

export const kernelSteps: readonly TourStep[] = [swap, broken]
