/**
 * `mm validate`: everything that can be found wrong without starting anything. Reads the configs, finds and loads each
 * module (its top level runs, nothing is constructed), and checks the values against its schema. A kernel that was
 * constructed and not booted does it, so the same parts decide as in a real start.
 */
import type { CheckReport } from '../contracts/kernel.ts'
import type { ErrorData } from '../contracts/errors.ts'
import type { DesiredService } from '../contracts/state.ts'
import { coded } from '../lib/errors.ts'
import { readConfig } from './generation.ts'
import type { Machine } from './machine.ts'
import { hostFor } from './module-host.ts'
import type { WantedReader } from './wanted.ts'

/** Never rejects: what is wrong is in the report. */
export async function checkRoot(machine: Machine, wanted: WantedReader): Promise<CheckReport> {
  wanted.tree.lookAll()
  wanted.read()
  const errors: ErrorData[] = [...wanted.desired.errors]
  for (const desired of wanted.desired.services.values()) {
    const error = await checkService(machine, desired)
    if (error !== undefined) errors.push(error)
  }
  return { services: wanted.desired.services.size, errors }
}

async function checkService(machine: Machine, desired: DesiredService): Promise<ErrorData | undefined> {
  const { scan, configText } = machine.services.get(desired.api) ?? {}
  if (scan === undefined) return undefined
  if (scan.error !== undefined) return scan.error
  try {
    const evaluated = await hostFor(machine, desired, scan.entry).evaluate(
      scan,
      { service: desired.api, generation: 0 },
      machine.limitsOf(desired),
    )
    try {
      if (typeof evaluated.exports['Module'] !== 'function') {
        throw coded('no_module_class', { prog: desired.prog }, { file: scan.entry })
      }
      readConfig(machine, { desired, configText }, evaluated.exports['configSchema'])
    } finally {
      evaluated.release()
    }
    return undefined
  } catch (thrown) {
    return machine.faults.describe(thrown)
  }
}
