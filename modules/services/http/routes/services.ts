/** Services: what runs, calls of their methods, and what changes them. */
import { z } from 'zod'
import type { ProposedFile } from '../../../contracts/kernel.ts'
import { callService } from '../call.ts'
import { cleanSource } from '../source.ts'
import { nextCursor, pageOf, pageQuery } from './paging.ts'
import { route } from './route.ts'
import {
  effectiveConfig,
  plannedChange,
  reloadResult,
  serviceDetail,
  serviceSource,
  serviceStatus,
  traffic,
} from './service-shapes.ts'
import { apiParam, serviceQuery } from './shapes.ts'

const callBody = z.object({
  method: z.string().min(1).describe('the name of a method'),
  args: z.array(z.unknown()).default([]).describe('a list of arguments'),
  aspect: z.string().optional().describe('the name of an aspect'),
  deadline_ms: z.number().positive().optional().describe('how long it may take, at most 600000'),
})

const proposedFile: z.ZodType<ProposedFile, ProposedFile> = z.object({
  path: z.string().describe('from the root'),
  text: z.string().nullable().exactOptional().describe('what it would hold; null when it would be gone'),
})

export const serviceRoutes = [
  route({
    id: 'services.list',
    method: 'GET',
    path: '/api/services',
    scope: 'read',
    summary: 'State, generation, hashes, counts and last error of each service',
    verb: 'mm ls',
    query: pageQuery,
    answer: z.object({ services: z.array(serviceStatus), ...nextCursor }),
    async act({ desk, query }) {
      const { items, next } = pageOf(await desk.system.services(), (one) => one.api, query)
      return { services: items, ...next }
    },
  }),
  route({
    id: 'services.show',
    method: 'GET',
    path: '/api/services/{api}',
    scope: 'read',
    summary: 'One service, with its methods, its tools and what it owns',
    verb: 'mm show',
    params: apiParam,
    answer: serviceDetail,
    errors: ['service_not_found'],
    act: ({ desk, params }) => desk.system.show(params.api),
  }),
  route({
    id: 'services.traffic',
    method: 'GET',
    path: '/api/traffic',
    scope: 'read',
    summary: 'Who calls whom, how often and how fast, as counted by the versions that run',
    answer: traffic,
    act: ({ desk }) => desk.system.traffic(),
  }),
  route({
    id: 'services.source',
    method: 'GET',
    path: '/api/services/{api}/source',
    scope: 'read',
    summary: 'The files a service is made from, as they run or as they stand on disk',
    params: apiParam,
    query: z.object({ which: z.enum(['live', 'disk']).optional().describe('`live` without it') }),
    answer: serviceSource,
    errors: ['service_not_found'],
    act: ({ desk, params: { api }, query: { which } }) => cleanSource(desk, api, which),
  }),
  route({
    id: 'services.call',
    method: 'POST',
    path: '/api/services/{api}/call',
    scope: 'operate',
    summary: 'Calls a method of a service',
    notes:
      "A refusal has a status of 400–499 or 503; an error of the service itself is 500 with the service's own code.",
    verb: 'mm call',
    params: apiParam,
    body: callBody,
    answer: z.object({
      result: z.unknown().describe('`null` when the method returned nothing'),
      generation: z.number().describe('the version that answered'),
      source_hash: z.string().nullable().describe('of the source that answered'),
      config_hash: z.string().nullable().describe('of the config that answered'),
      trace_id: z.string(),
    }),
    errors: ['service_not_found', 'method_not_found', 'not_a_method', 'deadline_exceeded', 'result_not_cloneable'],
    act: ({ desk, params, body }) => callService(desk, params.api, body),
  }),
  route({
    id: 'services.reload',
    method: 'POST',
    path: '/api/services/{api}/reload',
    scope: 'operate',
    summary: 'Loads what stands on disk as a new generation',
    verb: 'mm reload',
    params: apiParam,
    answer: reloadResult,
    errors: ['service_not_found'],
    act: ({ desk, params }) => desk.system.reload(params.api),
  }),
  route({
    id: 'services.rollback',
    method: 'POST',
    path: '/api/services/{api}/rollback',
    scope: 'operate',
    summary: 'The version before serves again; the disk stays as it is',
    verb: 'mm rollback',
    params: apiParam,
    answer: reloadResult,
    errors: ['service_not_found', 'nothing_to_roll_back'],
    act: ({ desk, params }) => desk.system.rollback(params.api),
  }),
  route({
    id: 'services.undo',
    method: 'POST',
    path: '/api/services/{api}/undo',
    scope: 'operate',
    summary: 'The bytes before the last change are written back and run',
    verb: 'mm undo',
    params: apiParam,
    answer: reloadResult,
    errors: ['service_not_found', 'file_changed'],
    act: ({ desk, params }) => desk.system.undo(params.api),
  }),
  route({
    id: 'services.release',
    method: 'POST',
    path: '/api/services/{api}/release',
    scope: 'operate',
    summary: 'A module that broke its limits too often leaves its quarantine and starts',
    verb: 'mm release',
    params: apiParam,
    answer: reloadResult,
    errors: ['service_not_found', 'not_quarantined'],
    act: ({ desk, params }) => desk.system.release(params.api),
  }),
  route({
    id: 'changes.plan',
    method: 'POST',
    path: '/api/plan',
    scope: 'read',
    summary: 'What these files would touch; without files, what stands on disk and does not run',
    verb: 'mm plan',
    body: z.object({ files: z.array(proposedFile).optional() }),
    answer: z.object({ changes: z.array(plannedChange) }),
    act: async ({ desk, body }) => ({ changes: await desk.system.plan(body.files) }),
  }),
  route({
    id: 'configs.list',
    method: 'GET',
    path: '/api/configs',
    scope: 'read',
    summary: 'Effective values and where each comes from; nothing is filled in',
    verb: 'mm config dump',
    query: serviceQuery.extend(pageQuery.shape),
    answer: z.object({ configs: z.array(effectiveConfig), ...nextCursor }),
    errors: ['service_not_found'],
    async act({ desk, query }) {
      const { items, next } = pageOf(
        await desk.system.configs(query.service),
        ({ api, file }) => `${api} ${file}`,
        query,
      )
      return { configs: items, ...next }
    },
  }),
]
