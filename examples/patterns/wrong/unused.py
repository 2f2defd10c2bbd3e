from polyproc import list_objects

for found in list_objects():
    if found["processes"] == 0:
        print(f"{found['name']}, a {found['kind']}, {found['bytes']} bytes: nobody uses it")
        # polyproc.unlink(found["name"]) removes it
