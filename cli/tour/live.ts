/** The first steps of the tour: a module is dropped in, edited, broken and mended while it is called; a chat uses a tool. */
import type { TourStep } from './steps.ts'
import { call, serves, show, until, type TourWorld } from './world.ts'

export const TICKER = 'tour/ticker'
export const TICKER_SOURCE = 'modules/tour/ticker.ts'
export const TICKER_CONFIG = 'configs/tour/ticker.yml'

const SOURCE = `/** Counts, for ever. Its count goes from version to version. */
export class Module {
  #count = 0

  constructor(kernel, config) {
    kernel.every(config.interval_ms, () => { this.#count++ })
  }

  count() { return this.#count }

  handOver() { return this.#count }
  takeOver(count) { this.#count = count }
}
`
const MENDED = SOURCE.replace('  handOver()', '  doubled() { return this.#count * 2 }\n\n  handOver()')
const BROKEN = SOURCE.trimEnd().slice(0, -1)
const config = (interval_ms: number): string => `api: ${TICKER}\nprog: ${TICKER}\ninterval_ms: ${interval_ms}\n`

export const countOf = async (world: TourWorld): Promise<number> => Number(await call(world, TICKER, 'count'))

/** For steps that want it beside them, also where those before were skipped. */
export async function needTicker(world: TourWorld): Promise<void> {
  if ((await show(world, TICKER)) !== undefined) return
  await world.write(TICKER_SOURCE, SOURCE)
  await world.write(TICKER_CONFIG, config(200))
  await serves(world, TICKER)
}

const dropIn: TourStep = {
  id: 'drop-in',
  title: 'Drop a module in',
  text: 'Two files are saved: a module and three lines of YAML. The service appears and counts; nothing was restarted.',
  hand: `Save ${TICKER_SOURCE} and ${TICKER_CONFIG}`,
  page: 'now',
  act: needTicker,
  async check(world) {
    const now = await show(world, TICKER)
    if (now?.state !== 'live') return undefined
    return `${TICKER} g${now.generation} is live and counts: ${await countOf(world)}`
  },
}

const edit: TourStep = {
  id: 'edit',
  title: 'Edit its YAML while it runs',
  text: 'interval_ms goes from 200 to 100. A new version takes over with the count of the old one, and no call fails.',
  hand: `In ${TICKER_CONFIG}, set interval_ms: 100 and save`,
  page: 'services',
  async act(world) {
    await needTicker(world)
    const before = await show(world, TICKER)
    world.notes.set('count', await countOf(world))
    await world.write(TICKER_CONFIG, config(100))
    await serves(world, TICKER, before?.stale === true ? 0 : (before?.generation ?? 0))
  },
  async check(world) {
    const { configs } = await world.ask('GET /api/configs', { query: { service: TICKER } })
    const value = configs[0]?.values.find(({ key }) => key === 'interval_ms')?.value
    const now = await show(world, TICKER)
    if (value !== 100 || now?.state !== 'live' || now.stale) return undefined
    const count = await countOf(world)
    const before = Number(world.notes.get('count') ?? 0)
    if (count < before) return undefined
    return `g${now.generation} serves with interval_ms 100; the count went on from ${before} to ${count}`
  },
}

const breakIt: TourStep = {
  id: 'break',
  title: 'Break it',
  text: 'The last brace is deleted. The system names the file and the line, and the version before goes on serving.',
  hand: `Delete the last } of ${TICKER_SOURCE} and save`,
  page: 'now',
  async act(world) {
    await needTicker(world)
    await world.write(TICKER_SOURCE, BROKEN)
    await until(world, 'the broken file to be seen', async () => (await show(world, TICKER))?.last_error?.file)
  },
  async check(world) {
    const now = await show(world, TICKER)
    const error = now?.last_error
    if (now?.stale !== true || error?.file !== TICKER_SOURCE) return undefined
    return `${error.file}:${error.line}: ${error.message}; g${now.generation} serves on, at ${await countOf(world)}`
  },
}

const fix: TourStep = {
  id: 'fix',
  title: 'Mend it, with a method more',
  text: 'The brace is back, and doubled() is new. It is live when the file is saved, with the count it had.',
  hand: `Put the } back in ${TICKER_SOURCE}, add doubled() { return this.#count * 2 }, and save`,
  page: 'services',
  async act(world) {
    await needTicker(world)
    await world.write(TICKER_SOURCE, MENDED)
    await serves(world, TICKER)
  },
  async check(world) {
    const now = await show(world, TICKER)
    if (now === undefined || now.stale || !now.methods.some(({ name }) => name === 'doubled')) return undefined
    world.notes.set('mended', now.generation ?? 0)
    return `g${now.generation} answers doubled(): ${String(await call(world, TICKER, 'doubled'))}`
  },
}

const chat: TourStep = {
  id: 'chat',
  title: 'Ask, and see a tool called',
  text: 'The assistant answers from the running system. Without a key a small planner writes the tool call, and says so.',
  hand: 'In the chat, ask: what services are running?',
  page: 'chat',
  async act(world) {
    const answer = await world.ask('POST /api/chat', { body: { message: 'what services are running?' } })
    const step = answer.steps.find(({ status }) => status === 'success')
    if (step !== undefined)
      world.notes.set('chat', `${step.tool} answered in ${Math.round(step.ms)} ms, for ${answer.provider}`)
  },
  async check(world) {
    const told = world.notes.get('chat')
    if (told !== undefined) return String(told)
    // By hand: one more conversation than when this step was first looked at.
    const { conversations } = await world.ask('GET /api/chat/conversations')
    const before = world.notes.get('conversations')
    if (before === undefined) world.notes.set('conversations', conversations.length)
    return conversations.length > Number(before ?? conversations.length) ? 'a conversation was begun' : undefined
  },
}

export const liveSteps: readonly TourStep[] = [dropIn, edit, breakIt, fix, chat]
