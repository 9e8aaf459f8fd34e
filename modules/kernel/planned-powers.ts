/**
 * What a planned change does to the powers of the services it touches: those granted, and those the text asks for, before
 * and after. Only of services of which one version or both run in a sandbox. Reads only; the text is read as it would be
 * before the version goes live, where what is missing is refused.
 */
import type { PlannedChange, ProposedFile } from '../contracts/kernel.ts'
import type { PowersChange } from '../contracts/sandbox.ts'
import type { VersionText } from '../contracts/sandbox-port.ts'
import type { DesiredService } from '../contracts/state.ts'
import { sandboxOf } from '../lib/sandbox-config.ts'
import type { Machine } from './machine.ts'
import { placed, planChanges, wantedThen } from './planned.ts'
import type { WantedReader } from './wanted.ts'

export async function planWithPowers(
  machine: Machine,
  wanted: WantedReader,
  files?: readonly ProposedFile[],
): Promise<PlannedChange[]> {
  const changes = planChanges(machine, wanted, files)
  const { services } = files === undefined ? wanted.desired : wantedThen(machine, wanted, files)
  const proposed = files === undefined ? [] : placed(machine, files).sources
  const textsOf = (target: DesiredService): VersionText['texts'] => textsAfter(machine, wanted, target, proposed)
  return Promise.all(
    changes.map(async (change) => {
      const target = change.change === 'stop' ? undefined : services.get(change.api)
      return { ...change, powers: await powersOf(machine, change.api, target, textsOf) }
    }),
  )
}

/** `textsOf`: asked only where a sandbox is, for it reads what stands on disk. */
async function powersOf(
  machine: Machine,
  api: string,
  target: DesiredService | undefined,
  textsOf: (target: DesiredService) => VersionText['texts'],
): Promise<PowersChange | null> {
  const { sandboxes } = machine.options
  const live = machine.services.get(api)?.live
  const isHeld = [live?.desired, target].some((one) => one !== undefined && sandboxOf(one) !== undefined)
  if (!isHeld || sandboxes?.powersChange === undefined) return null
  const before = live && { service: live.desired, texts: live.scan.texts }
  const after = target && { service: target, texts: textsOf(target) }
  try {
    return await sandboxes.powersChange(before, after, machine.meta.sandboxPolicy)
  } catch {
    // Nothing here can read the text: the change itself is refused with the reason.
    return null
  }
}

/** A file that only what is proposed would import is not looked for; what is proposed besides counts as its own. */
function textsAfter(
  machine: Machine,
  wanted: WantedReader,
  target: DesiredService,
  proposed: readonly { absolute: string; text?: string | null }[],
): ReadonlyMap<string, string> {
  const entry = wanted.entryOf(target.prog)
  const texts = new Map(entry === undefined ? [] : machine.options.loader.scan(entry).texts)
  const isElsewhere = (path: string): boolean =>
    [...machine.services.values()].some(({ scan }) => scan?.files.has(path) === true)
  for (const { absolute, text } of proposed) {
    if (text === null) texts.delete(absolute)
    else if (text !== undefined && (texts.has(absolute) || !isElsewhere(absolute))) texts.set(absolute, text)
  }
  return texts
}
