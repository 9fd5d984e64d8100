"""Runs a command on a terminal of its own and takes each step once its text was shown.

argv: STEPS COMMAND...; STEPS is a JSON list of {wait: text} and one of {type: text}, {signal: name},
{type_shown: pattern}, whose first group is typed from what was shown last, {replace: [path, text]}. stdout: JSON {status, screen}
"""
import json, os, pty, re, select, signal, sys, time

steps, argv = json.loads(sys.argv[1]), sys.argv[2:]
pid, terminal = pty.fork()
if pid == 0:
    os.execvp(argv[0], argv)
screen, seen, end = b"", 0, time.monotonic() + 20
while time.monotonic() < end:
    while steps and (at := screen.find(steps[0]["wait"].encode(), seen)) >= 0:
        step = steps.pop(0)
        seen = at + len(step["wait"].encode())
        if "signal" in step:
            os.kill(pid, signal.Signals[step["signal"]])
        elif "replace" in step:
            with open(step["replace"][0], "w") as file:
                file.write(step["replace"][1])
        elif "type_shown" in step:
            *_, shown = re.finditer(step["type_shown"].encode(), screen[:seen])
            os.write(terminal, shown.group(1) + b"\n")
        else:
            os.write(terminal, step["type"].encode())
    if select.select([terminal], [], [], 0.1)[0]:
        try:
            data = os.read(terminal, 65536)
        except OSError:
            break
        if not data:
            break
        screen += data
else:
    os.kill(pid, 9)
_, status = os.waitpid(pid, 0)
print(json.dumps({"status": os.waitstatus_to_exitcode(status), "screen": screen.decode("utf8", "replace")}))
