/** One run: from the open store to the closing summary. */
import { isDeepStrictEqual } from 'node:util'
import { type Config, formatProblem, type LoadResult } from '../config/config.ts'
import { Program, type ReloadResult } from '../graph/program.ts'
import { createLogger, type Logger } from '../telemetry/logger.ts'
import type { OwnLogs } from '../telemetry/own-logs.ts'
import { isWhole, summarise, summaryText } from '../telemetry/summary.ts'
import { type ControlCommand, type ControlServer, serveControl } from './control.ts'
import { replayCommand } from './dead-letter.ts'
import { type OpenHost, openHost, ownResource } from './host.ts'
import { queueCommands } from './queue.ts'

export interface SessionOptions {
  readonly load: () => LoadResult
  readonly config: Config
  readonly stateDir: string
  readonly drain: boolean
  readonly stderr: (text: string) => void
}

export class Session {
  readonly #options: SessionOptions
  readonly #host: OpenHost
  readonly #ownLogs: OwnLogs | undefined
  readonly #program: Program
  #control: ControlServer | undefined
  readonly log: Logger
  #config: Config
  #ready = false
  #startedAt = 0
  #reloads = 0
  #reloading: Promise<void> = Promise.resolve()

  private constructor(options: SessionOptions, host: OpenHost, ownLogs: OwnLogs | undefined) {
    this.#options = options
    this.#ownLogs = ownLogs
    this.#config = options.config
    this.#host = host
    this.#program = new Program(host.runtime)
    this.log = host.runtime.log
  }

  /** Opens and starts everything. Rejects with one sentence; nothing is left open then. */
  static async open(options: SessionOptions): Promise<Session> {
    const { config, stderr, stateDir, drain } = options
    const ownLogs = await openDestinations(config)
    const { level, encoding } = config.service.logs
    const log = createLogger({ level, encoding, write: (line) => stderr(`${line}\n`), also: ownLogs?.emit })
    let session: Session | undefined
    const host = await openHost({
      stateDir,
      drain,
      log,
      config,
      isReady: () => session?.isReady ?? false,
    })
    try {
      session = new Session(options, host, ownLogs)
      await session.#start()
      return session
    } catch (error) {
      await host.close()
      await ownLogs?.close()
      throw error
    }
  }

  async #start(): Promise<void> {
    const { stateDir } = this.#options
    await this.#host.serve(this.#config)
    this.#startedAt = performance.now()
    await this.#program.start(this.#config)
    this.#control = await serveControl(stateDir, this.#commands(), this.log)
    this.#ready = true
    this.log.info('Everything is ready. Begin running and processing data.', { state_dir: stateDir })
  }

  #commands(): Readonly<Record<string, ControlCommand>> {
    const { deadLetters, stores, storages } = this.#host.runtime
    return {
      'dead-letter replay': replayCommand(this.#program, deadLetters),
      ...queueCommands(
        () => [...new Set([stores, ...storages.values()])],
        (exporter) => this.#program.chain(exporter) !== undefined,
      ),
    }
  }

  /** True between "everything is ready" and the begin of the shutdown. */
  get isReady(): boolean {
    return this.#ready
  }

  /** Resolves when every source that can end has ended. */
  ended(): Promise<void> {
    return this.#program.ended()
  }

  /** Reads the configuration again and exchanges what changed. What is wrong with it is logged and changes nothing. */
  reload(why: string): void {
    this.#reloading = this.#reloading.then(() => this.#reload(why))
  }

  async #reload(why: string): Promise<void> {
    const { metrics } = this.#host.runtime
    const { config, errors, warnings } = this.#options.load()
    // Each reload is an answer to somebody: that the one before said the same is no reason to be silent.
    const log = this.log.child({ reload: ++this.#reloads })
    for (const warning of warnings) log.warn(formatProblem(warning))
    if (config === undefined) {
      for (const error of errors) log.error(formatProblem(error))
      log.error('The new configuration is invalid; the old one keeps running.', { why, errors: errors.length })
      metrics.add('weir_config_reloads', 1, { result: 'refused' })
      return
    }
    try {
      const result = await this.#exchange(config)
      this.#warnOfLater(config)
      this.#config = config
      const changed = result.started + result.stopped > 0
      metrics.add('weir_config_reloads', 1, { result: changed ? 'applied' : 'unchanged' })
      log.info('The configuration was reloaded.', { why, ...result })
    } catch (error) {
      metrics.add('weir_config_reloads', 1, { result: 'refused' })
      log.error('The new configuration could not be started; the old one keeps running.', { why, error })
    }
  }

  /** All of it, or nothing. */
  async #exchange(config: Config): Promise<ReloadResult> {
    await this.#host.serve(config)
    try {
      return await this.#program.reload(config, config.service.shutdownTimeoutMs)
    } catch (error) {
      await this.#host.serve(this.#config)
      throw error
    }
  }

  /** Some keys are read at the start alone; nobody shall believe that they were followed. */
  #warnOfLater({ service }: Config): void {
    const old = this.#config.service
    const changed: string[] = []
    if (!isDeepStrictEqual(service.logs, old.logs)) changed.push('service::telemetry::logs')
    if (!isDeepStrictEqual(service.resource, old.resource)) changed.push('service::telemetry::resource')
    if (service.memoryBudget !== old.memoryBudget) changed.push('service::memory::budget')
    if (changed.length > 0) this.log.warn('These changes take effect at the next start.', { keys: changed.join(', ') })
  }

  /** Drains within `limitMs` and closes everything. Resolves with the exit code. */
  async shutDown(why: string, limitMs = this.#config.service.shutdownTimeoutMs): Promise<number> {
    this.log.info('Starting shutdown...', { why })
    this.#ready = false
    await this.#reloading
    const { metrics, leftOnDisk } = this.#host.runtime
    leftOnDisk.clear()
    const failedBefore = metrics.sum('weir_receiver_outcomes', { outcome: 'failed' })
    const cut = await this.#program.stop(limitMs)
    const pending = metrics.sum('weir_receiver_outcomes', { outcome: 'failed' }) - failedBefore
    if (cut > 0) {
      this.log.warn(
        'The time for the shutdown was over before everything was delivered; replaying sources send it again.',
        {
          batches: cut,
        },
      )
    }
    const summary = summarise(metrics, (performance.now() - this.#startedAt) / 1000, pending, leftOnDisk)
    await this.#control?.close()
    await this.#host.close()
    this.log.info('Shutdown complete.')
    await this.#ownLogs?.close()
    this.#options.stderr(`${summaryText(summary)}\n`)
    return this.#options.drain && (!isWhole(summary) || cut > 0 || leftOnDisk.size > 0) ? 2 : 0
  }
}

/** Where the log goes besides stderr. The SDK is loaded only when somebody asked for it. */
async function openDestinations({ service }: Config): Promise<OwnLogs | undefined> {
  const { destinations } = service.logs
  if (destinations.length === 0) return undefined
  const { openOwnLogs } = await import('../telemetry/own-logs.ts')
  return openOwnLogs({ destinations, resource: ownResource(service) })
}
