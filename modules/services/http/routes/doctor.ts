/** What is wrong with the system and its machine, as `mm doctor` finds it. */
import { z } from 'zod'
import { route } from './route.ts'
import { epochMs } from './shapes.ts'

export const doctorRoute = route({
  id: 'system.doctor',
  method: 'GET',
  path: '/api/doctor',
  scope: 'operate',
  summary: 'Looks at the machine, at runtime/, at every config and module and at what runs, and says what is wrong',
  notes: 'It takes as long as loading every module, in a process of its own. Nothing is mended.',
  verb: 'mm doctor',
  answer: z.object({
    at: epochMs,
    findings: z.array(
      z.object({
        check: z.string().describe('what was looked at, or the service it is about'),
        ok: z.boolean(),
        message: z.string(),
        hint: z.string().describe('what to do; empty where nothing is wrong'),
      }),
    ),
  }),
  errors: ['doctor_failed'],
  async act({ desk }) {
    const [{ at, findings }, clean] = await Promise.all([desk.doctor.look(), desk.cleaner()])
    return { at, findings: findings.map((one) => ({ ...one, message: clean(one.message), hint: clean(one.hint) })) }
  },
})
