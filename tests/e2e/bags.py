"""Bags by RFC 8493, made without the organizer, in every form in which they are read."""
import hashlib
import io
import pathlib
import shutil
import subprocess
import tarfile
import zipfile

FORMS = ("folder", "zip", "tar", "tar.gz", "tar.zst")
WHEN = (2026, 3, 2, 12, 0, 0)
DOCUMENTS = {"Correspondence/Smith_Divorce_Letter_2026-03-02.pdf": b"%PDF-1.4 a letter\n",
             "Pleadings/Smith_Divorce_Complaint_2026-01-05.pdf": b"%PDF-1.4 a complaint\n" * 40,
             "Notes/na\u00efve notes.txt": b"notes\n"}


def digest(algorithm, data):
    name = {"blake2b512": "blake2b", "blake2s256": "blake2s", "sha512256": "sha512_256",
            "sha3256": "sha3_256"}.get(algorithm, algorithm)
    return hashlib.new(name, data).hexdigest()


def encoded(path):
    return path.replace("%", "%25").replace("\n", "%0A").replace("\r", "%0D")


def manifest(files, algorithm):
    return "".join(f"{digest(algorithm, data)}  {encoded(path)}\n" for path, data in files.items()).encode(
        "utf-8", "surrogateescape")


def bag(documents=None, algorithms=("sha256", "sha512"), version="1.0", info=None, tags=None):
    """Path in the bag -> bytes, of a valid bag."""
    payload = {"data/" + k: v for k, v in (DOCUMENTS if documents is None else documents).items()}
    files = {"bagit.txt": f"BagIt-Version: {version}\nTag-File-Character-Encoding: UTF-8\n".encode()}
    oxum = f"{sum(map(len, payload.values()))}.{len(payload)}"
    files["bag-info.txt"] = (info if info is not None else
                             f"Bagging-Date: 2026-11-23\nPayload-Oxum: {oxum}\n").encode()
    files.update(tags or {})
    files.update(payload)
    for a in algorithms:
        files[f"manifest-{a}.txt"] = manifest(payload, a)
    return seal(files, algorithms)


def seal(files, algorithms=("sha256", "sha512")):
    """The tag manifests of what is there now."""
    files = {k: v for k, v in files.items() if not k.startswith("tagmanifest-")}
    tags = {k: v for k, v in files.items() if not k.startswith("data/")}
    for a in algorithms:
        files[f"tagmanifest-{a}.txt"] = manifest(tags, a)
    return files


def pack(files, path, form, base="Smith_Divorce/"):
    """Writes the files as a folder or archive; directories are made where the form wants them."""
    path = pathlib.Path(path)
    if form == "folder":
        for name, data in files.items():
            target = path / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
    elif form == "zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as z:
            for name, data in files.items():
                z.writestr(zipfile.ZipInfo(base + name, WHEN), data, zipfile.ZIP_DEFLATED)
    else:
        path.write_bytes(compressed(tarred(files, base), form))
    return path


def tarred(files, base="Smith_Divorce/"):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as t:
        for name, data in files.items():
            i = tarfile.TarInfo(base + name)
            i.size, i.mtime = len(data), 1772452800
            t.addfile(i, io.BytesIO(data))
    return out.getvalue()


def compressed(data, form):
    tool = {"tar": None, "tar.gz": ["gzip", "-n"], "tar.zst": ["zstd", "-q"], "tar.bz2": ["bzip2"],
            "tar.xz": ["xz"]}[form]
    if not tool:
        return data
    assert shutil.which(tool[0]), f"{tool[0]} is needed"
    return subprocess.run([*tool, "-c"], input=data, stdout=subprocess.PIPE, check=True).stdout


def beside(path):
    """NAME.sha256, as sha256sum writes it."""
    path = pathlib.Path(path)
    target = path.with_name(path.name + ".sha256")
    target.write_text(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n")
    return target
