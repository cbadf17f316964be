/** What `weir help` says. */
export const HELP = `Weir: a security-observability pipeline for Kubernetes.

Usage: weir <command> [flags]

Commands
  run            start the pipelines of a configuration
  validate       check a configuration without starting it
  components     list what can be configured (--json)
  print-config   print the configuration with its defaults (--mode redacted|unredacted, --format yaml|json)
  schema         print the JSON Schema of a configuration file, for editors
  dead-letter    replay: send again what could not be delivered (--to EXPORTER, --state-dir DIR, --config FILE)
  queue          list what waits on disk; drop --exporter ID removes what nobody sends any more (--state-dir DIR)
  elasticsearch  setup: write index templates and lifecycle policy (--endpoint URL, or --config FILE and --exporter ID;
                 --dry-run, --product elasticsearch|opensearch, --server-version 8.17, --retention 90d)
  ebpf           check: what this host lets the eBPF sensor see, hook by hook (--json)
                 trace: a line an event as it happens, until Ctrl-C (--signal exec,dns,file, --json)
  version        print the version
  help           print this

Flags of every command that reads a configuration
  --config FILE      a file (also file:, env:NAME, yaml:text); repeat to merge, later ones win
  --set a.b.c=value  set one value; repeatable, wins over every file

Flags of run
  --drain            read what is there, wait until all of it is acknowledged, and exit:
                     0 all delivered or filtered on purpose, 2 something was rejected or lost
  --watch            reload when a file of the configuration changes (SIGHUP reloads always)
  --state-dir DIR    where checkpoints and the dead-letter file live; else WEIR_STATE_DIR,
                     /var/lib/weir when writable, or the XDG state directory
`
