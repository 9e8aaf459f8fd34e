/** The keys of the service `recordings`: limits, with their units in their names. docs/recordings.md explains them. */
import { z } from 'zod'

const count = (value: number): z.ZodDefault<z.ZodNumber> => z.number().int().positive().default(value)

export const configSchema = z.object({
  /** path of the file, from runtime/ */
  file: z
    .string()
    .regex(/^[\w.-]+$/)
    .default('recordings.db'),
  /** calls kept of each kind; `record: {keep}` of a service goes before it */
  keep: count(20),
  /** kinds of one service */
  kinds_max: count(200),
  service_bytes_max: count(16_777_216),
  /** of the arguments, and of the result, as JSON: a call with more is not kept */
  call_chars_max: count(65_536),
  /** answers from others that are kept for one service */
  answers_max: count(5_000),
  /** calls of one service that are looked at */
  looks_per_second: count(200),
  looks_burst: count(2_000),
  /** calls that wait to be written; more are not kept */
  waiting_max: count(20_000),
  write_ms: count(1_000),
  /** of one call in a replay, and of the whole */
  replay_call_ms: count(5_000),
  replay_ms: count(60_000),
  replay_calls_max: count(10_000),
})

export type Config = z.infer<typeof configSchema>
