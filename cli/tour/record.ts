/** The end of the tour: the record of it all is checked, a change is taken back, and everything it brought goes. */
import { allServices } from '../lists.ts'
import { ATTACK_FILES } from './attack.ts'
import { IMPROVE_FILES } from './improve.ts'
import { KERNEL_FILES } from './kernel.ts'
import { countOf, TICKER, TICKER_CONFIG, TICKER_SOURCE } from './live.ts'
import type { TourStep } from './steps.ts'
import { show, until, type TourWorld } from './world.ts'

const ledger: TourStep = {
  id: 'ledger',
  title: 'Check the record',
  text: 'Every decision stands in a chain of hashes. It is computed again, from the first entry to the last.',
  hand: 'mm ledger verify',
  page: 'ledger',
  async act(world) {
    const { entries } = await world.ask('GET /api/ledger/verify')
    world.notes.set('ledger', entries)
  },
  async check(world) {
    if (!world.notes.has('ledger')) return undefined
    const { valid, entries } = await world.ask('GET /api/ledger/verify')
    return valid ? `${entries} entries, valid` : undefined
  },
}

const undo: TourStep = {
  id: 'undo',
  title: 'Take a change back',
  text: 'The bytes before the last change of the ticker are written back, and run. doubled() is gone; the count is not.',
  hand: `mm undo ${TICKER}`,
  page: 'services',
  async act(world) {
    const { ok, error } = await world.ask('POST /api/services/{api}/undo', { params: { api: TICKER } })
    if (!ok && error !== null) throw error
  },
  async check(world) {
    const now = await show(world, TICKER)
    const mended = world.notes.get('mended')
    if (mended === undefined || now?.state !== 'live' || (now.generation ?? 0) <= Number(mended)) return undefined
    if (now.methods.some(({ name }) => name === 'doubled')) return undefined
    return `g${now.generation} serves what was there before, at ${await countOf(world)}`
  },
}

const FILES = [...KERNEL_FILES, ...ATTACK_FILES, ...IMPROVE_FILES, TICKER_CONFIG, TICKER_SOURCE]
const isConfig = (file: string): boolean => file.startsWith('configs/')

const cleanUp: TourStep = {
  id: 'clean-up',
  title: 'Leave it as it was',
  text: 'The files of the tour are deleted: its services stop, and the first kernel is back.',
  hand: 'Delete configs/tour, modules/tour and both meta files',
  page: 'now',
  async act(world) {
    // Nothing may ask for a module, or a kernel, any more when its file goes: it would be refused, and said so.
    for (const file of FILES.filter(isConfig)) await world.write(file, null)
    await until(world, 'the services of the tour to be gone', () => gone(world))
    for (const file of FILES.filter((one) => !isConfig(one))) await world.write(file, null)
  },
  check: gone,
}

async function gone(world: TourWorld): Promise<string | undefined> {
  const services = await allServices(world)
  const { version } = await world.ask('GET /api/kernel')
  if (services.some(({ api, state }) => api.startsWith('tour/') && state !== 'stopped')) return undefined
  return KERNEL_VERSIONS.includes(version) ? undefined : `${services.length} services, kernel ${version}`
}

const KERNEL_VERSIONS = ['2.0.0', '3.0.0']

export const recordSteps: readonly TourStep[] = [ledger, undo, cleanUp]
