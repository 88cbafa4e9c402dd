

print(json.dumps(main()))
