from pathlib import Path
from machine import Process
from . import assembly as asm, library as lib

def test_smoke(tmp_path: Path):
    here=lib.CODE
    code=asm.words(*asm.ENTER, asm.adr(9,here+8,lib.got(0)), asm.ldr(9,9), asm.blr(9), asm.add(0,0,1), *asm.LEAVE)
    f=tmp_path/"l.dylib"; f.write_bytes(lib.build(lib.Contents(code,["_getpid","_gone"],frozenset({"_gone"}),{"_f":lib.CODE},b"\0"*16,[],[lib.CODE])))
    p=Process(f); p.missing.add("_gone")
    p.start()
    assert p.call(p.exports["_f"]).x0==4243
    import time
    t=time.time()
    for _ in range(2000): p.call(p.exports["_f"])
    print((time.time()-t)/2000*1e6)
    out=[]
    for _ in range(2): p.spawn(lambda: [p.call(p.exports["_f"]) for _ in range(3)] and out.append(p.thread.id))
    p.run(); assert sorted(out)==[0x1002,0x1003]
    c=p.fork(lambda: p.call(p.exports["_f"]).x0)
    assert c.result==4301 and p.call(p.exports["_f"]).x0==4243
    p.check_end(); p.close()
