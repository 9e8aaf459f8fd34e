/**
 * The freeze: the same file `mm freeze` writes, so that what stops a system is one thing. The bootloader looks at it each
 * second; the answer comes when the freeze holds. Whoever may ask for everything may freeze; only the operator thaws.
 */
import { rmSync } from 'node:fs'
import { z } from 'zod'
import type { FreezeScope } from '../../../contracts/kernel.ts'
import { coded } from '../../../lib/errors.ts'
import { freezeFile, freezeText } from '../../../lib/freeze.ts'
import { OPERATOR } from '../../../lib/tokens.ts'
import { writeWhole } from '../../../lib/whole-file.ts'
import { route, type Desk } from './route.ts'

const WAIT_MS = 3_000
const LOOK_MS = 50

const answer = z.object({ frozen: z.enum(['none', 'self', 'all']).describe('what holds now') })

/** Waits until the bootloader has seen the file; the answer is what holds, whatever was wanted. */
async function whenHeld({ kernel, system }: Desk, wanted: FreezeScope): Promise<z.output<typeof answer>> {
  const until = kernel.clock.now() + WAIT_MS
  for (;;) {
    const { frozen } = await system.status()
    if (frozen === wanted || kernel.clock.now() >= until) return { frozen }
    await kernel.sleep(LOOK_MS)
  }
}

export const freezeRoutes = [
  route({
    id: 'system.freeze',
    method: 'POST',
    path: '/api/freeze',
    scope: 'admin',
    summary: 'Stops the system from changing itself; `all`: stops file edits from being applied too',
    notes: 'Drains, rollback and undo always work. The answer comes when it holds, within 3 s.',
    verb: 'mm freeze',
    body: z.object({
      scope: z.enum(['self', 'all']).default('self'),
      reason: z.string().max(500).exactOptional().describe('kept in the file'),
    }),
    answer,
    act({ desk, body: { scope, reason } }) {
      writeWhole(freezeFile(desk.kernel.paths.runtime), freezeText(scope, reason))
      return whenHeld(desk, scope)
    },
  }),
  route({
    id: 'system.thaw',
    method: 'POST',
    path: '/api/thaw',
    scope: 'admin',
    summary: 'Ends a freeze; only with the token of the system itself',
    verb: 'mm thaw',
    answer,
    errors: ['operator_only'],
    act({ desk }) {
      if (desk.asker?.name !== OPERATOR) throw coded('operator_only', { what: 'end a freeze' })
      rmSync(freezeFile(desk.kernel.paths.runtime), { force: true })
      return whenHeld(desk, 'none')
    },
  }),
]
