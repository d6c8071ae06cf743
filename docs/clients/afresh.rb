# A database at its baseline for every test of minitest or RSpec: `afresh run -- ruby users_test.rb`.
#
#   DATABASE = Afresh.lease
#   RSpec.configure { |config| config.after { |example| DATABASE.reset(example.id) } }
require 'json'
require 'net/http'

# A lease, which ends with its connection: also if this process is killed.
class Afresh
  attr_reader :url, :env

  def self.lease(client: "ruby #{Process.pid}")
    new(client)
  end

  def initialize(client)
    server = URI(ENV.fetch('AFRESH_SERVER'))
    @http = Net::HTTP.new(server.host, server.port, nil)
    # By default it connects again after 2 seconds without a request, and the lease would end.
    @http.keep_alive_timeout = 86_400
    @http.max_retries = 0
    @http.read_timeout = 300
    @http.start
    lease = ask(:Post, '/v1/leases', client: client, endsWithConnection: true)
    @id = lease.fetch('id')
    @url = lease.fetch('url')
    @env = lease.fetch('env')
    ENV.update(@env)
  end

  def reset(test = 'ruby')
    act('reset', test: test)
  end

  def load(set)
    act('load', set: set)
  end

  def snapshot(name)
    act('snapshot', name: name)
  end

  def restore(name)
    act('restore', name: name)
  end

  def release
    ask(:Delete, "/v1/leases/#{@id}")
    @http.finish
  end

  private

  def act(action, **body)
    ask(:Post, "/v1/leases/#{@id}/#{action}", **body)
  end

  def ask(method, path, **body)
    request = Net::HTTP.const_get(method).new(path)
    request['Authorization'] = "Bearer #{ENV.fetch('AFRESH_TOKEN')}"
    request['Content-Type'] = 'application/json'
    request.body = JSON.generate(body) unless method == :Delete
    response = @http.request(request)
    answer = response.body.to_s.empty? ? {} : JSON.parse(response.body)
    raise "afresh: #{answer.dig('error', 'message')}" if response.code.to_i >= 400

    answer
  end
end
