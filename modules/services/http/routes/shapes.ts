/**
 * The shapes that several routes answer, under the names they have in the OpenAPI document. Each is typed by its
 * interface in the contracts: one that lacks a member does not compile.
 */
import { z } from 'zod'
import type { ErrorData } from '../../../contracts/errors.ts'
import type { MachineEvent } from '../../../contracts/module.ts'
import type { JsonMap } from '../../../contracts/seams.ts'
import { shape } from './route.ts'

export const epochMs = z.number().describe('epoch milliseconds')
export const jsonMap = z.custom<JsonMap>().meta({ type: 'object', description: 'any JSON object' })

export const errorData = shape<ErrorData>(
  'ErrorData',
  z.object({
    code: z.string(),
    message: z.string(),
    hint: z.string(),
    file: z.string().exactOptional().describe('where the cause stands, from the root'),
    line: z.number().exactOptional(),
    column: z.number().exactOptional(),
    details: z.record(z.string(), z.unknown()).exactOptional(),
  }),
)

/** What every refusal looks like. */
export const errorAnswer = z.object({
  error: z.object({
    code: z.string().describe('one of ERRORS.md, or the code of the service that failed'),
    message: z.string(),
    hint: z.string(),
    doc: z.string().describe('where the code is explained, as `ERRORS.md#not_found`'),
    field: z.string().exactOptional().describe('what is wrong in the request, as `body.method`'),
    expected: z.string().exactOptional().describe('what should stand there'),
    file: z.string().exactOptional(),
    line: z.number().exactOptional(),
    column: z.number().exactOptional(),
  }),
})
export const ErrorAnswer = shape<z.output<typeof errorAnswer>>('Error', errorAnswer)

export const machineEvent = shape<MachineEvent>(
  'Event',
  z.object({
    id: z.number().describe('grows by one with each event of this process'),
    type: z.string().describe('dotted name, as `service.live`'),
    time: epochMs,
    data: z.record(z.string(), z.unknown()),
  }),
)

/** `{api}` of a path. */
export const apiParam = z.object({ api: z.string().min(1).describe('the name of a service') })
export const serviceQuery = z.object({ service: z.string().optional().describe('only this service') })
