/** `--help` of everything, in one place; a test holds it to the options that are understood. */
export const usage = `comfy-bridge-patch: lends a ComfyUI to a Comfy Bridge, and takes every byte of it back.

  install <ComfyUI>     the pack into custom_nodes, main_adapted.py beside main.py,
                        a token into .comfy-bridge
  upgrade <ComfyUI>     the same over an earlier version
  status <ComfyUI>      what is installed
  doctor <ComfyUI>      what is not as it should be, each with its fix; exit code 1 when something
                        does not work
  uninstall <ComfyUI>   every file and folder as it was before
  pause, resume         lend this machine's running ComfyUI no more, or again
  nginx                 a site file for a lent ComfyUI behind nginx

<ComfyUI> is the folder of main.py, or the outer folder of the Windows portable build.

For install and upgrade:
  --token TEXT          16 to 512 printable ASCII characters; default: a new one, if there is none
  --no-token            no token: only this machine itself may use it
  --schedule TIMES      lend only then: "22:00-08:00", "Mon-Fri 22:00-08:00, Sat-Sun 00:00-24:00"
  --owner-from FROM     who is the owner: loopback, none, or networks such as 192.168.1.0/24
  --example-inputs      the pictures of the sample workflows too, into input/
  --base-directory DIR  as ComfyUI's own: custom_nodes and input are there
  --custom-nodes DIR    custom_nodes is there
For all that change a ComfyUI:
  --dry-run             print what would be done, and do nothing
  --force               go on over edited files and the like; the refusal says when that helps
For status:
  --show-token          print the token
For install, upgrade, uninstall and doctor:
  --port N              where this ComfyUI listens; default 8188
For pause and resume:
  --url URL             of ComfyUI; default http://127.0.0.1:8188
  --minutes N           pause for so long; default: until resume
For nginx:
  --server-name NAME    default _ (any)          --listen PORT          default 80, with TLS 443
  --upstream HOST:PORT  default 127.0.0.1:8188   --max-body SIZE        default 256m
  --tls-cert FILE       with --tls-key FILE      --base-path PATH       default none
  --out FILE            default: standard output; --force overwrites it
  --check               let nginx say whether it takes the file
Everywhere:
  --json                one JSON object instead of lines
  --help, --version

Exit codes: 0 done, 1 refused or failed (nothing was changed, unless it says so), 2 wrong usage.
`;
